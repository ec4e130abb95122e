import type { Routes } from '../routes.ts'

export function personPages(_routes: Routes): void {}
