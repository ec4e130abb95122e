import type { Routes } from '../routes.ts'

export function auditPages(_routes: Routes): void {}
