import { raiseAlarm } from '../../../db/queries/alarms.ts'
import { forgetCall, lockSummons, type Summons } from '../../../db/queries/events.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { setDeliveriesStatus, updateOutgoing } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { DomainUpdate, TemplateResult } from './types.ts'

/** When a template message that the platform failed to deliver is tried again. Source: project assumption. */
const RETRY_MS = 10 * 60_000
const DAY_MS = 86_400_000

/**
 * What became of a template message, by which somebody outside the window is called back. One that failed is sent once
 * more. One that did not arrive is marked with the reason: a notice counts as not delivered, so that progress and
 * escalation see it; a text that waits for the person goes on waiting, for they get it whenever they write.
 *
 * Found are messages whose fate is open. Whoever wrote meanwhile has their text, and a result that comes twice finds the
 * message decided, or with the platform's id of the second try.
 * @see https://developers.weixin.qq.com/doc/service/guide/product/template_message/Template_Message_Interface.html
 */
export async function noteTemplateResult(rt: DomainRuntime, event: TemplateResult): Promise<void> {
  if (event.result === 'delivered') return
  const summons = await lockSummons(rt.db, {
    channel: event.addressSpace,
    address: event.address,
    platformId: event.messageId,
  })
  if (!summons) return
  if (event.result === 'blocked') return markUnheard(rt, summons, '对方拒收公众号的模板消息')
  const now = rt.clock.now()
  if ((await countAttempt(rt.db, `template:${summons.id}`, now, DAY_MS)) === 1) {
    const nextAttemptAt = new Date(now.getTime() + RETRY_MS)
    await updateOutgoing(rt.db, summons.id, { status: 'retrying', nextAttemptAt, claimedAt: null })
    return forgetCall(rt.db, summons.id)
  }
  await markUnheard(rt, summons, '公众号模板消息两次发送失败')
  await raiseAlarm(
    rt.db,
    'template:failed',
    '公众号的模板消息重发后仍然失败。请到公众平台“模板消息”查看模板是否被停用、是否超出每日额度；在此期间，48 小时没有来过消息的人收不到提醒。',
    now,
  )
}

async function markUnheard(rt: DomainRuntime, summons: Summons, error: string): Promise<void> {
  if (summons.status === 'waiting') return updateOutgoing(rt.db, summons.id, { error })
  await updateOutgoing(rt.db, summons.id, { status: 'failed', error })
  await setDeliveriesStatus(rt.db, summons.id, 'failed', rt.clock.now())
}

/** The log is enough: a mass message through the Official Account is sent, and looked after, by a person. */
export function noteMassResult(
  rt: DomainRuntime,
  { messageId, isSent, status }: Extract<DomainUpdate, { kind: 'mass_result' }>,
): void {
  rt.log[isSent ? 'info' : 'warn']({ messageId, status }, 'a mass message has a result')
}

/** As of a mass message. */
export function notePublishResult(
  rt: DomainRuntime,
  { publishId, status }: Extract<DomainUpdate, { kind: 'publish_result' }>,
): void {
  rt.log.info({ publishId, status }, 'a publication has a result')
}
