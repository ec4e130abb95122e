import { createHash } from 'node:crypto'
import type { Core } from './core.ts'
import { mainApp, unixSeconds } from './core.ts'
import type { GroupMember, SimGroup } from './types.ts'
import type { XmlFields } from './xml.ts'

export type GroupView = Pick<SimGroup, 'name' | 'ownerId' | 'notice' | 'memberVersion'> & {
  members: GroupMember[]
}

interface Snapshot {
  until: number
  view: GroupView
}

const snapshots = new WeakMap<SimGroup, Snapshot[]>()

const viewOf = (group: SimGroup): GroupView => ({
  name: group.name,
  ownerId: group.ownerId,
  notice: group.notice,
  memberVersion: group.memberVersion,
  members: [...group.members.values()],
})

/** Keeps what the detail interface goes on showing for a while; to be called before a change. */
export function rememberDetail(core: Core, group: SimGroup): void {
  const lag = core.options.detailLagMs ?? 0
  if (lag <= 0) return
  const now = core.clock.now().getTime()
  const kept = (snapshots.get(group) ?? []).filter(snapshot => snapshot.until > now)
  snapshots.set(group, [...kept, { until: now + lag, view: viewOf(group) }])
}

/** The group as groupchat/get shows it now. */
export function visibleDetail(core: Core, group: SimGroup): GroupView {
  const now = core.clock.now().getTime()
  return snapshots.get(group)?.find(snapshot => snapshot.until > now)?.view ?? viewOf(group)
}

/** The next link of a group's member version chain. */
export function nextVersion(before: string, change: string): string {
  return createHash('md5').update(`${before}|${change}`).digest('hex')
}

/** Tells the server about a change in a customer group. @see developer.work.weixin.qq.com/document/path/92130 */
export async function sendGroupEvent(core: Core, group: SimGroup, detail: XmlFields): Promise<void> {
  const { channel } = mainApp(core)
  await core.callbacks.send({
    channel,
    lane: `group ${group.id}`,
    fields: {
      ToUserName: channel.toUserName,
      FromUserName: 'sys',
      CreateTime: unixSeconds(core.clock.now()),
      MsgType: 'event',
      Event: 'change_external_chat',
      ChatId: group.id,
      ...detail,
    },
  })
}
