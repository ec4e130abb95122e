import {
  deleteUnclaimedChat,
  type GroupWithUnit,
  groupById,
  insertGroup,
  requestReading,
  unclaimedChat,
  updateGroup,
} from '../../../db/queries/groups.ts'
import { identitiesOf } from '../../../db/queries/identities.ts'
import { personsNamed } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { type UnitRow, unitById, unitsNamed } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { GroupKind } from '../../templates.ts'
import { type KnownActor, managesGroup, managesUnit } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import { askPlatform } from '../outgoing/enqueue.ts'

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
 * Registers a group; the person who does it is its owner until they hand it over.
 * @throws DomainError `group.name` (the naming rule), `group.unit_kind`, `group.webhook`, `rights.missing`
 */
export async function registerGroup(
  rt: DomainRuntime,
  actor: KnownActor,
  input: GroupInput,
): Promise<GroupWithUnit> {
  const { kind, unit, platform } = input
  if (!managesUnit(rt.templates, actor, unit.path) && !actor.roles.some(role => role.unitId === unit.id))
    throw notAllowed(`在${unit.name}建群`)
  if (!kind.unitKinds.includes(unit.kind))
    throw new DomainError('group.unit_kind', `${unit.name}不设“${kind.name}”。`)
  const name = input.name.trim()
  if (name === '' || [...name].length > 40) throw new DomainError('group.name', '群名称要有 1 到 40 个字。')
  if (kind.naming && !new RegExp(kind.naming.pattern, 'u').test(name))
    throw new DomainError(
      'group.name',
      `${kind.name}的名称要像“${kind.naming.example}”这样（${kind.naming.source}）。请改名后再登记。`,
    )
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
  await updateGroup(rt.db, group.id, { chatId: chat.chatId })
  await requestReading(rt.db, chat.chatId, rt.clock.now())
  await deleteUnclaimedChat(rt.db, chat.chatId)
  return requireGroup(rt, group.id)
}

/** Hands a group to another person of its unit or the units around it. @throws DomainError */
export async function changeOwner(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
  ownerName: string,
): Promise<{ group: GroupWithUnit; ownerName: string; ownerId: number }> {
  const group = await requireManagedGroup(rt, actor, groupId)
  const unit = await unitById(rt.db, group.unitId)
  const top = unit?.parentId ? await unitById(rt.db, unit.parentId) : unit
  const found = await personsNamed(rt.db, top?.path ?? group.unitPath, nameKey(ownerName))
  const persons = [...new Map(found.map(each => [each.personId, each])).values()]
  const [owner] = persons
  if (!owner) throw new DomainError('person.unknown', `${top?.name ?? ''}的名册里没有“${ownerName}”。`)
  if (persons.length > 1)
    throw new DomainError(
      'person.ambiguous',
      `名册里有 ${persons.length} 位“${ownerName}”，请由上级在名册中区分。`,
    )
  await updateGroup(rt.db, groupId, { ownerId: owner.personId })
  await audit(rt, actor, 'group.owner_changed', groupId, { from: group.ownerId, to: owner.personId })
  return { group, ownerName: owner.name, ownerId: owner.personId }
}

/** Sets what approved people get in by. @throws DomainError `group.join_code` */
export async function setJoinCode(
  rt: DomainRuntime,
  actor: KnownActor,
  groupId: number,
  joinCode: string,
): Promise<GroupWithUnit> {
  const group = await requireManagedGroup(rt, actor, groupId)
  if ([...joinCode].length > 300)
    throw new DomainError('group.join_code', '入群码太长，请发链接或口令（300 字以内）。')
  await updateGroup(rt.db, groupId, { joinCode })
  await audit(rt, actor, 'group.join_code_set', groupId, {})
  return group
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

/** The key of a pasted webhook address, or of the key alone. Only WeCom's own host is accepted. */
function webhookKeyOf(pasted: string): string | null {
  const text = pasted.trim()
  if (/^[0-9A-Za-z-]{16,64}$/.test(text)) return text
  const match = /\/cgi-bin\/webhook\/send\?key=([0-9A-Za-z-]{16,64})$/.exec(text)
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
