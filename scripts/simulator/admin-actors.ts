import { openGidOf } from './api/wecom-groups.ts'
import { removeTags } from './api/wecom-tags.ts'
import type { Core, WecomApp } from './core.ts'
import { mainApp, unixSeconds } from './core.ts'
import { rememberDetail, sendGroupEvent } from './group-events.ts'
import { MINUTE } from './limits.ts'
import type { MemberSettings } from './types.ts'
import type { XmlFields } from './xml.ts'

/** What administrators do in the console of the corp, and what logging in gives. Each change is told to the server. */
export interface AdminActors {
  /** @param parentId default: the root @returns the department's id */
  addDepartment(name: string, parentId?: number): Promise<number>
  renameDepartment(id: number, name: string): Promise<void>
  /** Only an empty one can go. */
  removeDepartment(id: number): Promise<void>
  /** A new colleague: a person who is in the simulator already gets a userid. */
  hireMember(personId: string, userId: string, settings?: MemberSettings): Promise<void>
  moveMember(personId: string, departmentIds: number[]): Promise<void>
  renameUserId(personId: string, newUserId: string): Promise<void>
  /** Somebody leaves the corp; their groups wait for an heir, and their customers are nobody's. */
  removeMember(personId: string): Promise<void>
  /** Members of a label (标签) changed; `change` is by userid. */
  changeMemberTag(tagId: number, change: { add?: string[]; remove?: string[] }): Promise<void>
  /** Gives a group to another member, in the console: unlike the interface this is told. */
  transferGroup(groupId: string, heirId: string): Promise<void>
  addCustomerTags(groupName: string, names: string[]): Promise<{ groupId: string; tagIds: string[] }>
  removeCustomerTag(tagId: string): Promise<void>

  /** Which members the app sees; null: all. No event says so. */
  setVisibleRange(userIds: string[] | null): void
  setLicensed(personId: string, isLicensed: boolean): void

  /** Somebody opens a page of the app and is asked who they are: the code that the page gets, for five minutes. */
  giveLoginCode(personId: string, how?: { withDetails?: boolean }): string
  /** What a mini-program gets that was shared into the group. */
  openGidOf(groupId: string): string
}

const CODE_LIFE = 5 * MINUTE

export function createAdminActors(core: Core): AdminActors {
  const { world } = core
  const { corp } = world

  async function tell(event: string, changeType: string, fields: XmlFields): Promise<void> {
    const { channel } = mainApp(core)
    core.log.add('corp_change', { event, changeType })
    await core.callbacks.send({
      channel,
      lane: 'corp',
      fields: {
        ToUserName: channel.toUserName,
        FromUserName: 'sys',
        CreateTime: unixSeconds(core.clock.now()),
        MsgType: 'event',
        Event: event,
        ChangeType: changeType,
        ...fields,
      },
    })
  }
  const tellContact = (changeType: string, fields: XmlFields) => tell('change_contact', changeType, fields)

  function memberId(personId: string): string {
    const person = world.person(personId)
    if (person.wecomUserId === undefined) throw new Error(`${person.name} is not a member of the corp`)
    return person.wecomUserId
  }
  function department(id: number) {
    const found = corp.departments.get(id)
    if (!found) throw new Error(`no department ${id}`)
    return found
  }

  return {
    async addDepartment(name, parentId = 1) {
      department(parentId)
      const id = Math.max(...corp.departments.keys()) + 1
      corp.departments.set(id, { id, name, parentId, order: id })
      await tellContact('create_party', { Id: id, Name: name, ParentId: parentId, Order: id })
      return id
    },
    async renameDepartment(id, name) {
      department(id).name = name
      await tellContact('update_party', { Id: id, Name: name })
    },
    async removeDepartment(id) {
      department(id)
      const hasMembers = [...world.persons.values()].some(
        person => person.wecomUserId !== undefined && person.departmentIds.includes(id),
      )
      const hasParts = [...corp.departments.values()].some(other => other.parentId === id)
      if (id === 1 || hasMembers || hasParts) throw new Error('only an empty department can go')
      corp.departments.delete(id)
      await tellContact('delete_party', { Id: id })
    },
    async hireMember(personId, userId, settings = {}) {
      const person = world.person(personId)
      if (person.wecomUserId !== undefined) throw new Error(`${person.name} is a member already`)
      for (const id of settings.departmentIds ?? []) department(id)
      world.setUserId(person, userId)
      delete person.formerUserId
      Object.assign(person, settings)
      await tellContact('create_user', {
        UserID: userId,
        Name: person.name,
        Department: person.departmentIds.join(','),
      })
    },
    async moveMember(personId, departmentIds) {
      const userId = memberId(personId)
      for (const id of departmentIds) department(id)
      world.person(personId).departmentIds = [...departmentIds]
      await tellContact('update_user', { UserID: userId, Department: departmentIds.join(',') })
    },
    async renameUserId(personId, newUserId) {
      const before = memberId(personId)
      const person = world.person(personId)
      world.setUserId(person, newUserId)
      for (const group of person.groupIds) {
        const member = world.group(group).members.get(personId)
        if (member?.memberId === before) member.memberId = newUserId
      }
      for (const relation of [...world.relations.values()].flat())
        if (relation.userId === before) relation.userId = newUserId
      await tellContact('update_user', { UserID: before, NewUserID: newUserId })
    },
    async removeMember(personId) {
      const userId = memberId(personId)
      world.setUserId(world.person(personId), undefined)
      for (const [id, relations] of world.relations)
        world.relations.set(
          id,
          relations.filter(relation => relation.userId !== userId),
        )
      await tellContact('delete_user', { UserID: userId })
    },
    async changeMemberTag(tagId, { add = [], remove = [] }) {
      await tellContact('update_tag', {
        TagId: tagId,
        AddUserItems: add.join(','),
        DelUserItems: remove.join(','),
        AddPartyItems: '',
        DelPartyItems: '',
      })
    },
    async transferGroup(groupId, heirId) {
      const group = world.group(groupId)
      const memberIdOfHeir = memberId(heirId)
      if (group.kind !== 'customer' || group.dismissed)
        throw new Error('only customer groups are transferred')
      rememberDetail(core, group)
      if (!group.members.has(heirId))
        world.putMember(group, {
          personId: heirId,
          memberId: memberIdOfHeir,
          joinedAt: core.clock.now(),
          joinScene: 1,
        })
      group.ownerId = heirId
      core.log.add('group_owner', { groupId, personId: heirId })
      await sendGroupEvent(core, group, { ChangeType: 'update', UpdateDetail: 'change_owner' })
    },
    async addCustomerTags(groupName, names) {
      const createdAt = core.clock.now()
      const tags = names.map(name => ({ id: `et${core.ids.letters(30)}`, name, createdAt }))
      const groupId = `et${core.ids.letters(30)}`
      corp.tagGroups.set(groupId, { id: groupId, name: groupName, createdAt, tags })
      await tell('change_external_tag', 'create', { Id: groupId, TagType: 'tag_group' })
      return { groupId, tagIds: tags.map(tag => tag.id) }
    },
    async removeCustomerTag(tagId) {
      removeTags(core, [tagId], [])
      await tell('change_external_tag', 'delete', { Id: tagId, TagType: 'tag' })
    },

    setVisibleRange(userIds) {
      const app: WecomApp = mainApp(core)
      if (userIds === null) delete app.visible
      else app.visible = userIds
      core.log.add('visible_range', { members: userIds?.length ?? 'all' })
    },
    setLicensed(personId, isLicensed) {
      world.person(personId).isLicensed = isLicensed
      core.log.add('licence', { personId, isLicensed })
    },
    giveLoginCode(personId, { withDetails = false } = {}) {
      const code = core.ids.letters(64)
      corp.loginCodes.set(code, {
        personId,
        agentId: mainApp(core).agentId,
        withDetails,
        expiresAt: core.clock.now().getTime() + CODE_LIFE,
        used: false,
      })
      core.log.add('login_code', { personId })
      return code
    },
    openGidOf: groupId => openGidOf(world.group(groupId)),
  }
}
