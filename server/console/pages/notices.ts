import type { Routes } from '../routes.ts'

export function noticePages(_routes: Routes): void {}
