import type { Routes } from '../routes.ts'

export function rosterPages(_routes: Routes): void {}
