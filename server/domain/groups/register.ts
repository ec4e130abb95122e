import {
  deleteUnclaimedChat,
  type GroupWithUnit,
  groupByChat,
  groupById,
  groupsOfUnit,
  insertGroup,
  lockGroupsOfUnit,
  requestReading,
  unclaimedChat,
  updateGroup,
} from '../../../db/queries/groups.ts'
import { identitiesOf, releaseUnvouched } from '../../../db/queries/identities.ts'
import { personsNamed } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { type UnitRow, unitsNamed } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { GroupKind } from '../../templates.ts'
import { type KnownActor, managesGroup, managesUnit } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import { handOverDeliveries } from '../notices/hand-over.ts'
import { askPlatform, sendToPerson } from '../outgoing/enqueue.ts'

/** What carries a group, with the word people use for it. */
export const platforms = {
  wechat: '微信群',
  customer: '客户群',
  internal: '机器人群',
  appchat: '应用群',
} as const

export type Platform = keyof typeof platforms

/** Members a group can hold. @see https://developer.work.weixin.qq.com/document/path/90245 (appchat) */
const capacities: Record<Platform, number> = { wechat: 500, customer: 500, internal: 2000, appchat: 2000 }

/** More members than any platform's group holds. */
const MAX_SIZE = 5000

export interface GroupInput {
  kind: GroupKind
  unit: UnitRow
  platform: Platform
  name: string
  size: number
  joinCode: string | null
  /** The robot's webhook address as it was pasted, for `internal`. */
  webhook: string | null
}

/**
 * The name under which a group can be registered, in one line.
 * @throws DomainError `group.name` (the naming rule of its kind)
 */
export function checkGroupName(kind: GroupKind, written: string): string {
  const name = written.replace(/\s+/g, ' ').trim()
  if (name === '' || [...name].length > 40) throw new DomainError('group.name', '群名称要有 1 到 40 个字。')
  if (kind.naming && !new RegExp(kind.naming.pattern, 'u').test(name))
    throw new DomainError(
      'group.name',
      `${kind.name}的名称要像“${kind.naming.example}”这样（${kind.naming.source}）。请改名后再登记。`,
    )
  return name
}

/**
 * Registers a group; the person who does it is its owner until they hand it over.
 *
 * A group that is audited belongs to whoever runs its unit, or holds the role that the rules name for its owner there;
 * an open one may be anybody's of the unit. An owner's account is bound by a code, never by a join request.
 * @throws DomainError `group.name`, `group.unit_kind`, `group.webhook`, `rights.missing`
 */
export async function registerGroup(
  rt: DomainRuntime,
  actor: KnownActor,
  input: GroupInput,
): Promise<GroupWithUnit> {
  const { kind, unit, platform } = input
  if (!mayOwn(rt, actor, kind, unit)) throw notAllowed(`在${unit.name}建${kind.name}`)
  if (actor.boundBy !== 'code')
    throw new DomainError(
      'rights.missing',
      '群主要用绑定码绑定账号：请向上级组织要一个，再发送“绑定 绑定码”。',
    )
  if (!kind.unitKinds.includes(unit.kind))
    throw new DomainError('group.unit_kind', `${unit.name}不设“${kind.name}”。`)
  const name = checkGroupName(kind, input.name)
  const webhookKey = input.webhook === null ? null : webhookKeyOf(input.webhook)
  if (platform === 'internal' && !webhookKey)
    throw new DomainError('group.webhook', '请粘贴群机器人的 Webhook 地址（群设置 → 消息推送 → 复制地址）。')
  const now = rt.clock.now()
  const id = await insertGroup(rt.db, {
    programme: unit.programme,
    kind: kind.id,
    unitId: unit.id,
    name,
    platform,
    ownerId: actor.person.id,
    webhookSealed: webhookKey ? rt.vault.seal(webhookKey) : null,
    joinCode: input.joinCode,
    capacity: capacities[platform],
    size: input.size,
    createdAt: now,
  })
  await audit(rt, actor, 'group.registered', id, { kind: kind.id, platform })
  if (platform === 'appchat')
    await askPlatform(rt, { kind: 'create_appchat', groupId: id, personId: actor.person.id })
  return requireGroup(rt, id)
}

/**
 * Registers a group from a form: the same one sent twice is one group, and a unit has no two groups of one name.
 * @throws DomainError `group.exists`, `group.size`, `group.join_code`, and as `registerGroup`
 */
export function registerGroupOnce(
  rt: DomainRuntime,
  actor: KnownActor,
  input: GroupInput,
): Promise<GroupWithUnit> {
  if (!Number.isInteger(input.size) || input.size < 1 || input.size > MAX_SIZE)
    throw new DomainError('group.size', `请填写群里现在的人数（1 到 ${MAX_SIZE}）。`)
  checkJoinCode(input.joinCode ?? '')
  return inTransaction(rt, async tx => {
    await lockGroupsOfUnit(tx.db, input.unit.id)
    const name = checkGroupName(input.kind, input.name)
    const same = (await groupsOfUnit(tx.db, input.unit.id)).find(group => group.name === name)
    if (same)
      throw new DomainError(
        'group.exists',
        `${input.unit.name}已经登记过“${name}”（群号 ${same.id}），没有再登记一次。`,
      )
    return registerGroup(tx, actor, input)
  })
}

function mayOwn(rt: DomainRuntime, actor: KnownActor, kind: GroupKind, unit: UnitRow): boolean {
  if (managesUnit(rt.templates, actor, unit.path)) return true
  const held = actor.roles
    .filter(role => role.unitId === unit.id)
    .map(role => rt.templates.role(role.programme, role.role))
  if (kind.admission === 'self-registration') return held.length > 0
  return held.some(role => role.id === kind.owner.role || role.countsAs.includes(kind.owner.role))
}

/**
 * A customer group that the platform reported is claimed by its owner, who says what it is.
 * @throws DomainError `group.not_yours`
 */
export async function claimChat(
  rt: DomainRuntime,
  actor: KnownActor,
  claimId: number,
  what: { kind: GroupKind; unit: UnitRow },
): Promise<GroupWithUnit> {
  const chat = await unclaimedChat(rt.db, claimId)
  const accounts = await identitiesOf(rt.db, actor.person.id)
  if (
    !chat ||
    !accounts.some(account => account.channel === 'wecom' && account.address === chat.ownerAddress)
  )
    throw new DomainError('group.not_yours', '没有这个待认领的群，或者您不是它的群主。')
  const group = await registerGroup(rt, actor, {
    ...what,
    platform: 'customer',
    name: chat.name,
    size: chat.size,
    joinCode: null,
    webhook: null,
  })
  const former = await groupByChat(rt.db, chat.chatId)
  if (former) await updateGroup(rt.db, former.id, { chatId: null })
  await updateGroup(rt.db, group.id, { chatId: chat.chatId })
  await requestReading(rt.db, chat.chatId, rt.clock.now())
  await deleteUnclaimedChat(rt.db, chat.chatId)
  return requireGroup(rt, group.id)
}

export interface HandedOver {
  group: GroupWithUnit
  ownerName: string
  ownerId: number
  /** Whether the new owner can be reached: their account is bound by a code. */
  isAboard: boolean
}

/**
 * The persons of a name who can be a group's owner: of its unit, or of a unit above or below it.
 * @param unitName narrows them to units whose name contains it
 */
export async function possibleOwners(
  rt: DomainRuntime,
  group: GroupWithUnit,
  name: string,
  unitName?: string,
): Promise<{ personId: number; name: string; unitName: string; title: string | null }[]> {
  const [root] = /^\/\d+\//.exec(group.unitPath) ?? [group.unitPath]
  const found = (await personsNamed(rt.db, root, nameKey(name)))
    .filter(each => each.unitPath.startsWith(group.unitPath) || group.unitPath.startsWith(each.unitPath))
    .filter(each => !unitName || each.unitName.includes(unitName))
  return [...new Map(found.map(each => [each.personId, each])).values()]
}

/**
 * Hands a group to another person of its unit, or of a unit above or below it, and tells them. Notices that it still
 * waits for go with it. An account that is bound by less than a code lets go, because an owner has rights.
 * @param owner `unitName` or `personId` say which of several persons of one name
 * @throws DomainError `person.unknown`, `person.ambiguous`, `group.owner`, and as `requireManagedGroup`
 */
export async function changeOwner(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
  owner: { name: string; unitName?: string; personId?: number },
): Promise<HandedOver> {
  const group = await requireManagedGroup(rt, actor, groupId)
  const named = await possibleOwners(rt, group, owner.name, owner.unitName)
  const persons = named.filter(each => owner.personId === undefined || each.personId === owner.personId)
  const [next] = persons
  if (!next)
    throw new DomainError(
      'person.unknown',
      `${group.unitName}和它的上级、下级单位的名册里没有“${owner.name}”。请核对姓名，或先更新名册。`,
    )
  if (persons.length > 1)
    throw new DomainError(
      'person.ambiguous',
      `有 ${persons.length} 位“${owner.name}”（${persons.map(each => `${each.unitName}${each.title ?? ''}`).join('、')}），请写明单位：换群主 ${groupId} ${owner.name} ${next.unitName}`,
    )
  if (next.personId === group.ownerId)
    throw new DomainError('group.owner', `“${group.name}”的群主本来就是${next.name}。`)
  await giveTo(rt, group, next.personId, actor.person.id)
  await sendToPerson(
    rt,
    next.personId,
    'task',
    `【群移交】“${group.name}”（群号 ${group.id}）的群主登记为您，请确认微信里也已移交。今后该群的通知会发给您转发。`,
  )
  const accounts = await identitiesOf(rt.db, next.personId)
  return { group, ownerName: next.name, ownerId: next.personId, isAboard: accounts.length > 0 }
}

/** Makes somebody a group's owner, with what waits for the owner. @param actorId null: the platform said so */
export async function giveTo(
  rt: DomainRuntime,
  group: GroupWithUnit,
  ownerId: number,
  actorId: number | null,
): Promise<void> {
  await releaseUnvouched(rt.db, [ownerId])
  await updateGroup(rt.db, group.id, { ownerId })
  await handOverDeliveries(rt, group, ownerId)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId,
    action: 'group.owner_changed',
    subjectKind: 'group',
    subjectId: group.id,
    details: { from: group.ownerId, to: ownerId },
  })
}

/** Sets what approved people get in by. @throws DomainError `group.join_code` */
export async function setJoinCode(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
  joinCode: string,
): Promise<GroupWithUnit> {
  const group = await requireManagedGroup(rt, actor, groupId)
  checkJoinCode(joinCode)
  await updateGroup(rt.db, groupId, { joinCode })
  await audit(rt, actor, 'group.join_code_set', groupId, {})
  return group
}

function checkJoinCode(joinCode: string): void {
  if ([...joinCode].length > 300)
    throw new DomainError('group.join_code', '入群码太长，请发链接或口令（300 字以内）。')
}

/** Ends a group. Its records stay and count for the months in which it stood. @throws DomainError */
export async function dissolveGroup(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
): Promise<GroupWithUnit> {
  const group = await requireManagedGroup(rt, actor, groupId)
  await updateGroup(rt.db, groupId, { dissolvedAt: rt.clock.now() })
  await audit(rt, actor, 'group.dissolved', groupId, {})
  return group
}

/** A group in use that the actor may look after. @throws DomainError `group.unknown`, `rights.missing` */
export async function requireManagedGroup(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
): Promise<GroupWithUnit> {
  const group = await requireGroup(rt, groupId)
  if (!managesGroup(rt.templates, actor, group)) throw notAllowed(`管理群 ${groupId}`)
  return group
}

/** A group in use. @throws DomainError `group.unknown` */
export async function requireGroup(rt: DomainRuntime, groupId: number): Promise<GroupWithUnit> {
  const group = await groupById(rt.db, groupId)
  if (!group || group.dissolvedAt)
    throw new DomainError('group.unknown', `没有群号是 ${groupId} 的群。发送“我的群”可以看到群号。`)
  return group
}

/** Units named so within the actor's reach: below the units they run, and their own. */
export async function reachableUnits(rt: DomainRuntime, actor: KnownActor, name: string): Promise<UnitRow[]> {
  const found = new Map<number, UnitRow>()
  for (const role of actor.roles)
    for (const unit of await unitsNamed(rt.db, role.unitPath, name)) found.set(unit.id, unit)
  const exact = [...found.values()].filter(unit => unit.name === name)
  return exact.length > 0 ? exact : [...found.values()]
}

/** The key in a pasted webhook address, or the key alone; the address itself is not kept, so it names no host to us. */
export function webhookKeyOf(pasted: string): string | null {
  const text = pasted.trim()
  if (/^[0-9A-Za-z-]{16,64}$/.test(text)) return text
  const match = /\/cgi-bin\/webhook\/send\?key=([0-9A-Za-z-]{16,64})(?![0-9A-Za-z-])/.exec(text)
  return match?.[1] ?? null
}

async function audit(
  rt: DomainRuntime,
  actor: KnownActor,
  action: string,
  groupId: number,
  details: Record<string, unknown>,
): Promise<void> {
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action,
    subjectKind: 'group',
    subjectId: groupId,
    details,
  })
}
