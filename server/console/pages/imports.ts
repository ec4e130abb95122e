import type { Routes } from '../routes.ts'

export function importPages(_routes: Routes): void {}
