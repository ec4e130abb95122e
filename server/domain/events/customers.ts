import { raiseAlarm } from '../../../db/queries/alarms.ts'
import { countAttempt, lockIdentity, markBack, markGone } from '../../../db/queries/identities.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { hasLeftSince, hasReturned } from '../identities/leave.ts'
import { sendWelcome } from '../outgoing/enqueue.ts'
import type { CustomerEvent } from './types.ts'

/** How long a welcome code lives. @see https://developer.work.weixin.qq.com/document/path/92137 */
const WELCOME_MS = 20_000

/**
 * The first words to somebody from outside who has added a member of staff. They are the only ones we may send without
 * being asked, so they hold what people otherwise learn too late: that ID numbers do not belong in a group (everybody
 * there can copy them), and the two ways in, which they must write to the Official Account, because a customer of WeCom
 * has no chat with the bot.
 */
const WELCOME = [
  '您好！这里是团组织的工作微信，用来联系大家、管理微信群。',
  '· 请不要在任何群里发身份证号、银行卡号；入群审核只在您和机器人的单聊里进行。',
  '· 想加入群：在团组织的公众号里发送“入群 群号”，群号请问群主。',
  '· 群主、组织工作人员：向上级要绑定码，在公众号里发送“绑定 绑定码”。',
].join('\n')

/** A member of staff and a customer became acquainted, or no longer are. */
export async function noteCustomerChange(rt: DomainRuntime, event: CustomerEvent): Promise<void> {
  switch (event.change) {
    case 'added':
    case 'half_added':
      await noteBack(rt, event)
      return welcome(rt, event)
    case 'removed_by_staff':
    case 'removed_by_customer':
      return noteRemoved(rt, event)
    case 'transfer_failed':
      await raiseAlarm(rt.db, 'customer:transfer-failed', transferWords(event.reason), rt.clock.now())
  }
}

/** One welcome for each code: the platform takes it once, and within its 20 seconds only. */
async function welcome(rt: DomainRuntime, event: CustomerEvent): Promise<void> {
  const now = rt.clock.now()
  if (!event.welcomeCode || now.getTime() >= event.at.getTime() + WELCOME_MS) return
  const key = `welcome:${rt.vault.index('page-token', event.welcomeCode)}`
  if ((await countAttempt(rt.db, key, now, WELCOME_MS)) === 1)
    await sendWelcome(rt, event.welcomeCode, WELCOME, event.at)
}

async function noteBack(rt: DomainRuntime, event: CustomerEvent): Promise<void> {
  const account = await lockIdentity(rt.db, 'wecom', event.customerId)
  if (account && !hasLeftSince(account, event.at)) await markBack(rt.db, account.id, event.at)
}

/** They cannot be written to; whose account it is does not change, for they may be in our groups all the same. */
async function noteRemoved(rt: DomainRuntime, event: CustomerEvent): Promise<void> {
  const account = await lockIdentity(rt.db, 'wecom', event.customerId)
  if (account && !(await hasReturned(rt, account, event.at))) await markGone(rt.db, account.id, event.at)
}

function transferWords(reason: string | null): string {
  const why =
    reason === 'customer_refused'
      ? '客户拒绝了接替成员'
      : reason === 'customer_limit_exceed'
        ? '接替成员的客户数已到上限'
        : '企业微信没有说明原因'
  return `有客户没能转给接替的成员（${why}）。请在企业微信管理后台“客户联系 → 在职继承 / 离职继承”里查看，并换一位成员接替。`
}
