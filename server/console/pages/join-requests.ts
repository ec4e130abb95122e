import type { Routes } from '../routes.ts'

export function joinRequestPages(_routes: Routes): void {}
