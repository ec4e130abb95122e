import { type MassMessage, stateOf } from './api/official-state.ts'
import type { Core, OfficialAccount } from './core.ts'
import { deliver } from './delivery.ts'
import { chinaMonth } from './limits.ts'
import { administratorOf, tellLater } from './official-events.ts'
import type { XmlFields } from './xml.ts'

const EACH_A_MONTH = 4

/** Why nobody got a mass message: what an administrator said, or that none said anything. */
const REFUSALS = { rejected: 'err(40001)', overdue: 'err(40002)' } as const

/** Sends a mass message that nothing holds up any more; the account is told when it is done. */
export function finishMass(core: Core, account: OfficialAccount, message: MassMessage): void {
  message.status = 'SENDING'
  tellLater(core, account, administratorOf(account), () => {
    const takers = message.audience.filter(id => takes(core, account, core.world.person(id).openId ?? ''))
    for (const id of takers) {
      const person = core.world.person(id)
      const copy = deliver(core, person, 'officialAccount', message.content, 'mass')
      message.copies.push({ personId: id, messageId: copy.id })
    }
    message.status = 'SEND_SUCCESS'
    return finished(message, 'send success', { total: message.audience.length, sent: takers.length })
  })
}

/** Ends a mass message that nobody gets. */
export function refuseMass(
  core: Core,
  account: OfficialAccount,
  message: MassMessage,
  why: keyof typeof REFUSALS,
): void {
  message.status = 'SEND_FAIL'
  tellLater(core, account, administratorOf(account), () =>
    finished(message, REFUSALS[why], { total: message.audience.length, sent: 0 }),
  )
}

/** The simulated clock wakes nobody: whoever looks at mass messages first lets those fail whose time is over. */
export function failOverdueMasses(core: Core, account: OfficialAccount): void {
  const now = core.clock.now().getTime()
  for (const message of stateOf(account).masses.values())
    if (message.status === 'awaiting' && message.confirmUntil <= now)
      refuseMass(core, account, message, 'overdue')
}

/** Four a calendar month for each follower of a 服务号; more are filtered out in silence. */
function takes(core: Core, account: OfficialAccount, openId: string): boolean {
  if (account.kind !== 'service' || !core.limits.has('massQuota')) return true
  const { monthly } = stateOf(account)
  const { month } = chinaMonth(core.clock.now())
  const known = monthly.get(openId)
  const count = known?.month === month ? known.count : 0
  if (count >= EACH_A_MONTH) return false
  monthly.set(openId, { month, count: count + 1 })
  return true
}

function finished(
  message: MassMessage,
  status: string,
  { total, sent }: { total: number; sent: number },
): XmlFields {
  return {
    Event: 'MASSSENDJOBFINISH',
    MsgID: Number(message.msgId),
    Status: status,
    TotalCount: total,
    FilterCount: sent,
    SentCount: sent,
    ErrorCount: 0,
    CopyrightCheckResult: { Count: 0, ResultList: '', CheckState: 0 },
    ArticleUrlResult: { Count: 0, ResultList: '' },
  }
}
