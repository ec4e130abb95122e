import type { Routes } from '../routes.ts'

export function apiTokenPages(_routes: Routes): void {}
