import type { Core } from './core.ts'
import { nextVersion, rememberDetail, sendGroupEvent } from './group-events.ts'
import { excerpt } from './text.ts'
import type { GroupPost, NewGroup, SimGroup } from './types.ts'
import type { Content } from './world.ts'
import type { XmlValue } from './xml.ts'

export const CAPACITY = { byCode: 200, customer: 500, other: 500 }
/** JoinScene of the event: 0 invited (directly or by a link), 3 scanned the group's code. */
export const BY_CODE = 3

export interface JoinHow {
  scene?: number
  state?: string
  /** Who invited. */
  invitorId?: string
}

/** Makes a group as people do in their client; a customer group is announced to the server, which idle() waits for. */
export function createGroup(core: Core, input: NewGroup): SimGroup {
  const { world } = core
  const owner = world.person(input.ownerId)
  if (input.kind === 'customer' && owner.wecomUserId === undefined) {
    throw new Error('a customer group needs an owner who is a member of the corp')
  }
  const now = core.clock.now()
  const prefix = { customer: 'wr', internal: 'in', wechat: 'wx' }[input.kind]
  const id = input.chatId ?? `${prefix}${core.ids.letters(30)}`
  const version = nextVersion(id, 'create')
  const group = world.addGroup({ kind: input.kind, id, name: input.name, ownerId: owner.id, now, version })
  for (const personId of new Set([owner.id, ...(input.memberIds ?? [])])) {
    const memberId = world.memberIdOf(world.person(personId), input.kind)
    world.putMember(group, { personId, memberId, joinedAt: now, joinScene: 1 })
  }
  core.log.add('group_created', { groupId: id, groupKind: input.kind, name: input.name, ownerId: owner.id })
  if (input.kind === 'customer') {
    // not awaited, yet already in the group's lane: whoever joins next is announced after it
    sendGroupEvent(core, group, { ChangeType: 'create' }).catch(error =>
      core.log.add('error', { where: 'create group', message: String(error) }),
    )
  }
  return group
}

/** Somebody joins; a customer group's event names the member and the two versions. Joining twice changes nothing. */
export async function joinGroup(
  core: Core,
  groupId: string,
  personId: string,
  how: JoinHow = {},
): Promise<void> {
  const { world } = core
  const group = usable(core, groupId)
  if (group.members.has(personId)) return
  const scene = how.scene ?? (how.state === undefined ? 0 : BY_CODE)
  const capacity = group.kind === 'customer' && scene === BY_CODE ? CAPACITY.byCode : CAPACITY.customer
  if (core.limits.has('groupCapacity') && group.members.size >= capacity)
    throw new Error(`group ${group.name} is full`)
  const memberId = world.memberIdOf(world.person(personId), group.kind)
  rememberDetail(core, group)
  world.putMember(group, {
    personId,
    memberId,
    joinedAt: core.clock.now(),
    joinScene: scene === 0 ? 1 : scene,
    ...(how.state === undefined ? {} : { state: how.state }),
    ...(how.invitorId === undefined ? {} : { invitorId: how.invitorId }),
  })
  core.log.add('group_join', { groupId, personId, ...(how.state === undefined ? {} : { state: how.state }) })
  if (group.kind !== 'customer') return
  await sendMemberEvent(core, group, 'add_member', [memberId], {
    JoinScene: scene === BY_CODE ? BY_CODE : (core.options.inviteScene ?? 0),
  })
}

/** Somebody leaves, or the owner removes them. */
export async function leaveGroup(
  core: Core,
  groupId: string,
  personId: string,
  how: { removed?: boolean } = {},
): Promise<void> {
  const group = usable(core, groupId)
  const member = group.members.get(personId)
  if (!member) throw new Error(`${core.world.person(personId).name} is not in group ${group.name}`)
  if (group.ownerId === personId) throw new Error('an owner hands the group over before leaving')
  rememberDetail(core, group)
  core.world.dropMember(group, personId)
  core.log.add('group_leave', { groupId, personId, removed: how.removed === true })
  if (group.kind !== 'customer') return
  await sendMemberEvent(core, group, 'del_member', [member.memberId], { QuitScene: how.removed ? 1 : 0 })
}

async function sendMemberEvent(
  core: Core,
  group: SimGroup,
  change: 'add_member' | 'del_member',
  memberIds: string[],
  scene: { JoinScene?: number; QuitScene?: number },
): Promise<void> {
  const last = group.memberVersion
  group.memberVersion = nextVersion(last, `${change} ${memberIds}`)
  await sendGroupEvent(core, group, {
    ChangeType: 'update',
    UpdateDetail: change,
    ...scene,
    MemChangeCnt: memberIds.length,
    ...changeList(core, memberIds),
    LastMemVer: last,
    CurMemVer: group.memberVersion,
  })
}

/** The members concerned, in the form that is switched on. */
function changeList(core: Core, memberIds: string[]): { MemChangeList?: XmlValue } {
  if (core.options.memberChanges === 'absent') return {}
  return {
    MemChangeList: core.options.memberChanges === 'commas' ? memberIds.join(',') : { Item: memberIds },
  }
}

/** A member brings several people in at once: one event names them all. */
export async function inviteToGroup(
  core: Core,
  groupId: string,
  inviterId: string,
  personIds: string[],
): Promise<void> {
  const { world } = core
  const group = usable(core, groupId)
  if (!group.members.has(inviterId)) throw new Error(`${world.person(inviterId).name} is not in the group`)
  const persons = personIds.filter(id => !group.members.has(id)).map(id => world.person(id))
  if (persons.length === 0) return
  if (core.limits.has('groupCapacity') && group.members.size + persons.length > CAPACITY.customer)
    throw new Error(`group ${group.name} is full`)
  rememberDetail(core, group)
  const memberIds = persons.map(person => {
    const memberId = world.memberIdOf(person, group.kind)
    const joinedAt = core.clock.now()
    world.putMember(group, { personId: person.id, memberId, joinedAt, joinScene: 1, invitorId: inviterId })
    core.log.add('group_join', { groupId, personId: person.id })
    return memberId
  })
  if (group.kind !== 'customer') return
  await sendMemberEvent(core, group, 'add_member', memberIds, { JoinScene: core.options.inviteScene ?? 0 })
}

/** The owner makes somebody an administrator of the group, or no longer. No event says so. */
export function setGroupAdmin(core: Core, groupId: string, personId: string, isAdmin: boolean): void {
  const group = usable(core, groupId)
  if (!group.members.has(personId)) throw new Error('an administrator must be in the group')
  rememberDetail(core, group)
  group.adminIds = group.adminIds.filter(id => id !== personId)
  if (isAdmin) group.adminIds.push(personId)
  core.log.add('group_admin', { groupId, personId, isAdmin })
}

export async function changeOwner(core: Core, groupId: string, personId: string): Promise<void> {
  const group = usable(core, groupId)
  if (!group.members.has(personId)) throw new Error('the new owner must be in the group')
  if (group.kind === 'customer' && core.world.person(personId).wecomUserId === undefined) {
    throw new Error('a customer group needs an owner who is a member of the corp')
  }
  rememberDetail(core, group)
  group.ownerId = personId
  core.log.add('group_owner', { groupId, personId })
  if (group.kind === 'customer')
    await sendGroupEvent(core, group, { ChangeType: 'update', UpdateDetail: 'change_owner' })
}

export async function renameGroup(core: Core, groupId: string, name: string): Promise<void> {
  const group = usable(core, groupId)
  rememberDetail(core, group)
  group.name = name
  core.log.add('group_renamed', { groupId, name })
  if (group.kind === 'customer')
    await sendGroupEvent(core, group, { ChangeType: 'update', UpdateDetail: 'change_name' })
}

export async function setNotice(core: Core, groupId: string, notice: string): Promise<void> {
  const group = usable(core, groupId)
  rememberDetail(core, group)
  group.notice = notice
  core.log.add('group_notice', { groupId, notice: excerpt(notice) })
  if (group.kind === 'customer')
    await sendGroupEvent(core, group, { ChangeType: 'update', UpdateDetail: 'change_notice' })
}

export async function dismissGroup(core: Core, groupId: string): Promise<void> {
  const group = usable(core, groupId)
  group.dismissed = true
  for (const personId of [...group.members.keys()]) core.world.dropMember(group, personId)
  core.log.add('group_dismissed', { groupId })
  if (group.kind === 'customer') await sendGroupEvent(core, group, { ChangeType: 'dismiss' })
}

/** A group that still exists. */
function usable(core: Core, groupId: string): SimGroup {
  const group = core.world.group(groupId)
  if (group.dismissed) throw new Error(`group ${group.name} was dismissed`)
  return group
}

/** Adds a robot to an internal group. @returns its webhook on the simulator. */
export function addRobot(core: Core, groupId: string): string {
  const group = usable(core, groupId)
  if (group.kind !== 'internal') throw new Error('only an internal group takes a robot')
  const part = (length: number) => {
    let text = ''
    while (text.length < length) text += Math.floor(core.ids.random() * 16).toString(16)
    return text
  }
  const key = [8, 4, 4, 4, 12].map(part).join('-')
  core.world.robots.set(key, { key, groupId, removed: false })
  group.robots.push(key)
  core.log.add('robot_added', { groupId })
  return `${core.url}/qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${key}`
}

/** Takes a key or the whole webhook address. */
export function removeRobot(core: Core, keyOrUrl: string): void {
  const key = keyOrUrl.includes('key=') ? (new URL(keyOrUrl).searchParams.get('key') ?? '') : keyOrUrl
  const robot = core.world.robots.get(key)
  if (!robot) throw new Error('no such robot')
  robot.removed = true
  const group = core.world.group(robot.groupId)
  group.robots = group.robots.filter(other => other !== key)
  core.log.add('robot_removed', { groupId: group.id })
}

/** Puts something into a group and into the log. */
export function postInGroup(
  core: Core,
  group: SimGroup,
  by: string,
  via: GroupPost['via'],
  content: Content,
): GroupPost {
  const post = core.world.addPost(group, {
    at: core.clock.now(),
    by,
    via,
    kind: content.kind,
    text: content.text,
    ...(content.card ? { card: content.card } : {}),
  })
  core.log.add('group_post', {
    groupId: group.id,
    by,
    via,
    postId: post.id,
    text: excerpt(content.text, 500),
  })
  return post
}

/** Somebody writes in a group; no platform tells the server. */
export function postAsPerson(core: Core, groupId: string, personId: string, content: Content): GroupPost {
  const group = usable(core, groupId)
  if (!group.members.has(personId))
    throw new Error(`${core.world.person(personId).name} is not in group ${group.name}`)
  return postInGroup(core, group, personId, 'person', content)
}

/** Forwards a message of the chat with the bot into a group. */
export function forwardToGroup(core: Core, personId: string, messageId: string, groupId: string): GroupPost {
  const message = core.world.person(personId).inbox.find(candidate => candidate.id === messageId)
  if (!message) throw new Error(`no message ${messageId} in this chat`)
  return postAsPerson(core, groupId, personId, {
    kind: message.kind,
    text: message.text,
    ...(message.card ? { card: message.card } : {}),
  })
}
