import { refuse } from './api-error.ts'
import type { Core, WecomApp } from './core.ts'
import type { SimGroup } from './types.ts'
import type { PersonRecord } from './world.ts'

/** Whether somebody is a member of the corp in whose name the app speaks. */
export function isMember(core: Core, app: WecomApp, person: PersonRecord): boolean {
  if (person.wecomUserId === undefined) return false
  if (person.corpId !== undefined) return person.corpId === app.corpId
  return ![...core.world.corp.downstreamApps.values()].includes(app)
}

/** Whether the app may see a member: its visible range (可见范围), where it has one. */
export function isVisible(core: Core, app: WecomApp, person: PersonRecord): boolean {
  if (!isMember(core, app, person)) return false
  const userId = person.wecomUserId?.toLowerCase()
  return app.visible === undefined || app.visible.some(id => id.toLowerCase() === userId)
}

/** Every member in the app's visible range. */
export function visibleMembers(core: Core, app: WecomApp): PersonRecord[] {
  return [...core.world.persons.values()].filter(person => isVisible(core, app, person))
}

/** @throws ApiError `unknown` (60111 or what the interface says) for a stranger, 60011 outside the visible range */
export function visibleMember(core: Core, app: WecomApp, userId: string, unknown = 60111): PersonRecord {
  const person = core.world.byUserId(userId)
  if (!person || !isMember(core, app, person)) refuse(unknown, `invalid userid ${userId}`)
  if (!isVisible(core, app, person)) refuse(60011, 'no privilege to access/modify contact/party/agent')
  return person
}

/** The userid of a group's owner, which stays when they have left the corp. */
export function ownerUserId(core: Core, group: SimGroup): string {
  const owner = core.world.person(group.ownerId)
  return owner.wecomUserId ?? owner.formerUserId ?? ''
}

/** Whether the app may see a customer group: by its owner. Groups of those who have left stay visible. */
export function seesGroup(core: Core, app: WecomApp, group: SimGroup): boolean {
  if (group.kind !== 'customer' || group.dismissed) return false
  const owner = core.world.person(group.ownerId)
  if (isVisible(core, app, owner)) return true
  if (owner.formerUserId === undefined || owner.wecomUserId !== undefined) return false
  return owner.corpId === undefined || owner.corpId === app.corpId
}

export function visibleGroups(core: Core, app: WecomApp): SimGroup[] {
  return [...core.world.groups.values()].filter(group => seesGroup(core, app, group))
}
