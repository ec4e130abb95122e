import { sendDueDrafts } from '../domain/notices/send-due-drafts.ts'
import type { Runtime } from '../runtime.ts'

/** Sends the notices whose time has come (定时), and says which of them still wait for a second person. */
export async function sendDrafts(rt: Runtime, signal?: AbortSignal): Promise<void> {
  const sent = await sendDueDrafts(rt, signal)
  if (sent > 0) rt.log.info({ notices: sent }, 'notices were sent at their time')
}
