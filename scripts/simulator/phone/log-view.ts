import type { Core } from '../core.ts'
import type { LogEntry } from '../types.ts'

const MOST_LOG = 120

/** Groups of log entries that the page can show alone. */
const GROUPS: Record<string, (entry: LogEntry) => boolean> = {
  all: () => true,
  callback: ({ kind }) => ['callback', 'callback_lost', 'bad_reply', 'verify'].includes(kind),
  api: ({ kind }) => kind === 'api' || kind === 'answer_lost',
  pay: ({ kind, which, host }) =>
    kind.startsWith('pay_') || which === 'pay' || host === 'api.mch.weixin.qq.com',
  chat: ({ kind }) =>
    ['said', 'replied', 'delivered', 'group_post', 'tapped', 'menu_click'].includes(kind) ||
    kind.startsWith('aibot_'),
  trouble: entry => entry.kind === 'fault' || isTrouble(entry),
}

const BAD_KINDS = ['bad_reply', 'dropped', 'error', 'callback_lost', 'answer_lost', 'out_of_service']

/** Whether an entry tells of something that went wrong. */
function isTrouble(entry: LogEntry): boolean {
  if (BAD_KINDS.includes(entry.kind)) return true
  const { status, errcode } = entry
  if (entry.kind === 'callback') return status !== 200 && status !== 204
  if (entry.kind !== 'api') return false
  return (typeof errcode === 'number' && errcode !== 0) || (typeof status === 'number' && status >= 400)
}

/** The newest entries of a group that hold the text somewhere, oldest first. */
export function viewLog(core: Core, group: string, text: string) {
  const belongs = GROUPS[group] ?? GROUPS.all
  const wanted = text.trim().toLowerCase()
  const first = core.log.total() - core.log.entries.length
  const shown = []
  for (let index = core.log.entries.length - 1; index >= 0 && shown.length < MOST_LOG; index -= 1) {
    const entry = core.log.entries[index]
    if (!entry || !belongs?.(entry)) continue
    const { at, kind, ...rest } = entry
    const detail = readable(core, rest)
    if (wanted !== '' && !`${kind} ${JSON.stringify(detail)}`.toLowerCase().includes(wanted)) continue
    shown.push({ number: first + index, at, kind, isTrouble: isTrouble(entry), detail })
  }
  return shown.reverse()
}

/** Names instead of the simulator's own ids, and no ids that say nothing to a person. */
function readable(core: Core, detail: Record<string, unknown>): Record<string, unknown> {
  const { personId, groupId, messageId: _message, postId: _post, by, ...rest } = detail
  const named: Record<string, unknown> = {}
  if (typeof personId === 'string') named.人 = core.world.persons.get(personId)?.name ?? personId
  if (typeof groupId === 'string') named.群 = core.world.groups.get(groupId)?.name ?? groupId
  if (typeof by === 'string') named.由 = core.world.persons.get(by)?.name ?? by
  return { ...named, ...rest }
}
