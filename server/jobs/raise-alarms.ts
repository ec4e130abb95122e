import { lastClosings, noteAlarm, type Occurrences } from '../../db/queries/alarms.ts'
import {
  type RefusedCalls,
  refusalsSince,
  refusedCallsSince,
  setAsideSince,
  unknownUpdatesSince,
  unsentSince,
} from '../../db/queries/troubles.ts'
import type { ChannelName } from '../channels/channel.ts'
import { officialAccountCodes } from '../channels/official-account/codes.ts'
import { type Remedy, remedyFor } from '../channels/remedies.ts'
import { wecomCodes } from '../channels/wecom/codes.ts'
import type { DomainRuntime } from '../runtime.ts'

/** How far back is looked: what is older either has its alarm or has been settled. */
const LOOK_BACK_MS = 24 * 3600_000
/** An update is set aside this long after it came, so that one may be given up just after its alarm was closed. */
const SET_ASIDE_AFTER_MS = 60_000
/** Payloads opened for the names of unknown updates. */
const MAX_NAMES_READ = 500

/**
 * Looks through the tables for what an operator must see to, and has one alarm open for each cause (运维告警). Counting
 * again changes nothing, so any process may run it at any time.
 */
export async function raiseAlarms(rt: DomainRuntime): Promise<void> {
  const closings = await lastClosings(rt.db)
  const horizon = rt.clock.now().getTime() - LOOK_BACK_MS
  const since = (cause: string, earlierMs = 0) =>
    new Date(Math.max(horizon, (closings.get(cause)?.getTime() ?? 0) - earlierMs))
  const note = async (cause: string, found: Occurrences | null, words: string) => {
    if (found && (await noteAlarm(rt.db, cause, words, found))) rt.log.error({ cause }, 'an alarm was raised')
  }

  await note(
    'updates:set_aside',
    await setAsideSince(rt.db, since('updates:set_aside', SET_ASIDE_AFTER_MS)),
    '有回调处理了五次都不成，已搁置，不影响其他人。npm run status 看编号和原因；修好后 npm run status -- --retry 编号。',
  )
  await note(
    'messages:failed',
    await unsentSince(rt.db, 'failed', since('messages:failed')),
    '有消息没有发出去（对方没有绑定账号、已取消关注，或平台拒绝）。npm run status 看是哪一类。',
  )
  await note(
    'messages:unknown',
    await unsentSince(rt.db, 'unknown', since('messages:unknown')),
    '有群消息发送时中断，平台无法查询是否已发出。请群主到群里看一眼：已发的回“转”，没发的手工转发。',
  )

  const names = unknownNames(rt, await unknownUpdatesSince(rt.db, since('updates:unknown'), MAX_NAMES_READ))
  if (names)
    await note(
      'updates:unknown',
      names.found,
      `平台发来不认识的消息或事件（${[...names.counts].map(([name, times]) => `${name} ×${times}`).join('，')}），已存下，未处理。请把这些名字报给开发者。`,
    )

  const refused = await refusedCallsSince(rt.db, new Date(horizon))
  for (const { channel, errcode, call, words } of remediesFor(refused)) {
    const cause = `platform:${channel}:${errcode}`
    await note(cause, await refusalsSince(rt.db, { channel, errcode, call }, since(cause)), words)
  }
}

/** What to do about these refusals, each once: where there are no words of our own, the platform's page has them. */
function remediesFor(refused: RefusedCalls[]): Remedy[] {
  const found = new Map<string, Remedy>()
  for (const { channel, errcode, call } of refused) {
    if (errcode === null) continue
    const remedy = remedyFor(channel, errcode, call) ?? unwordedRemedy(channel as ChannelName, errcode)
    if (remedy) found.set(`${channel} ${errcode}`, remedy)
  }
  return [...found.values()]
}

function unwordedRemedy(channel: ChannelName, errcode: number): Remedy | null {
  const codes = channel === 'official-account' ? officialAccountCodes : wecomCodes
  if (codes.get(errcode) !== 'config') return null
  const words = `平台返回 ${errcode}：缺少权限或设置不对。原因和办法见 https://open.work.weixin.qq.com/devtool/query?e=${errcode}`
  return { channel, errcode, words }
}

/** How often each name occurs, by the platform's own name of the message or event. */
export function unknownNames(
  rt: Pick<DomainRuntime, 'vault'>,
  rows: { receivedAt: Date; channel: string; payloadSealed: string }[],
): { counts: Map<string, number>; found: Occurrences } | null {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const name = `${row.channel}/${nameIn(rt, row.payloadSealed)}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const [last] = rows
  const first = rows.at(-1)
  return first && last
    ? { counts, found: { times: rows.length, firstAt: first.receivedAt, lastAt: last.receivedAt } }
    : null
}

function nameIn(rt: Pick<DomainRuntime, 'vault'>, payloadSealed: string): string {
  try {
    const { name } = JSON.parse(rt.vault.open(payloadSealed)) as { name?: unknown }
    // a name is the platform's; whatever else stands there may be somebody's words
    return typeof name === 'string' && /^[\w./:-]{1,60}$/.test(name) ? name : '?'
  } catch {
    return '?'
  }
}
