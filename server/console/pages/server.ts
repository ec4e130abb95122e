import type { Routes } from '../routes.ts'
import { callPages } from './server/calls.ts'
import { deliveryPages } from './server/deliveries.ts'
import { overviewPages } from './server/overview.ts'
import { selfCheckPages } from './server/self-check.ts'
import { settingsPages } from './server/settings.ts'
import { updatePages } from './server/updates.ts'

/** `/console/server`: for administrators, who look after the server and have no right to anybody's personal data. */
export function serverPages(routes: Routes): void {
  overviewPages(routes)
  updatePages(routes)
  deliveryPages(routes)
  callPages(routes)
  settingsPages(routes)
  selfCheckPages(routes)
}
