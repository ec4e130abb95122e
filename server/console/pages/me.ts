import { html } from '../../http/html.ts'
import { page } from '../layout.ts'
import type { Routes } from '../routes.ts'

export function mePages(routes: Routes): void {
  routes.get('/me', 'person', view => page(view, { title: '我的', part: 'me', body: html`` }))
}
