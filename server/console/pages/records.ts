import type { Routes } from '../routes.ts'

export function recordPages(_routes: Routes): void {}
