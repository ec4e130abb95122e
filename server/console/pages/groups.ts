import type { Routes } from '../routes.ts'

export function groupPages(_routes: Routes): void {}
