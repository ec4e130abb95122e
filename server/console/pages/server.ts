import type { Routes } from '../routes.ts'

export function serverPages(_routes: Routes): void {}
