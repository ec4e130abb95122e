import type { Routes } from '../routes.ts'

export function sheetPages(_routes: Routes): void {}
