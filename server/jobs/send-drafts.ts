import { callAgain } from '../domain/notices/call-approvers.ts'
import { sendDueDrafts } from '../domain/notices/send-due-drafts.ts'
import type { Runtime } from '../runtime.ts'

/** Sends the notices whose time has come (定时), says which of them still wait for a second person, and calls those again. */
export async function sendDrafts(rt: Runtime, signal?: AbortSignal): Promise<void> {
  const sent = await sendDueDrafts(rt, signal)
  await callAgain(rt, signal)
  if (sent > 0) rt.log.info({ notices: sent }, 'notices were sent at their time')
}
