import { type Corp, createCorp } from './corp.ts'
import type { Ids } from './ids.ts'
import type {
  Card,
  ChatMessage,
  GroupKind,
  GroupMember,
  GroupPost,
  MemberSettings,
  NewPerson,
  SimGroup,
  SimPerson,
  Via,
} from './types.ts'

export interface PersonRecord extends SimPerson, MemberSettings {
  inbox: ChatMessage[]
  /** Groups that the person's client shows. */
  groupIds: Set<string>
  departmentIds: number[]
  /** The userid of somebody who has left the corp. */
  formerUserId?: string
  followedAt?: Date
  /** Where the follow came from: the scene of a parametric QR code. */
  followScene?: string
}

export interface Robot {
  key: string
  groupId: string
  /** The webhook may be used no more, but the key is remembered. */
  removed: boolean
}

export interface JoinWay {
  configId: string
  agentId: number
  scene: number
  remark: string
  autoCreateRoom: number
  roomBaseName: string
  roomBaseId: number
  chatIdList: string[]
  /** Groups made because those of the list were full. */
  openedIds: string[]
  state: string
  markSource: boolean
  qrCode: string
}

/** A staff member's contact with a customer. */
export interface Relation {
  userId: string
  externalUserId: string
  createdAt: Date
  state?: string
  addWay: number
  remark: string
  description: string
  company: string
  mobiles: string[]
  tagIds: string[]
}

export interface WelcomeCode {
  code: string
  expiresAt: number
  personId: string
  /** The app that sent the welcome. */
  usedBy?: number
}

/** Where copies of one app message went. */
export interface SentMessage {
  at: Date
  agentId: number
  copies: { person: PersonRecord; message: ChatMessage }[]
}

/** Lets the app change a card once within 72 hours. */
export interface ResponseCode {
  agentId: number
  copies: SentMessage['copies']
  expiresAt: number
  used: boolean
}

export interface World {
  corp: Corp
  persons: Map<string, PersonRecord>
  groups: Map<string, SimGroup>
  robots: Map<string, Robot>
  joinWays: Map<string, JoinWay>
  /** By external_userid. */
  relations: Map<string, Relation[]>
  welcomeCodes: Map<string, WelcomeCode>
  /** By msgid. */
  sent: Map<string, SentMessage>
  responseCodes: Map<string, ResponseCode>
  /** `agentId task_id` of every card sent: a task_id is used once per app. */
  taskIds: Set<string>
  addPerson(input: NewPerson, now: Date): PersonRecord
  /** @throws Error for an unknown id: a slip in a test or the demo, not something a platform answers. */
  person(id: string): PersonRecord
  group(id: string): SimGroup
  byUserId(userId: string): PersonRecord | undefined
  /** Gives a person another userid; `undefined` takes it away, as when somebody leaves the corp. */
  setUserId(person: PersonRecord, userId: string | undefined): void
  byOpenId(openId: string): PersonRecord | undefined
  byExternalUserId(externalUserId: string): PersonRecord | undefined
  /** The id under which somebody stands in a customer or internal group; a WeChat user gets one when first needed. */
  memberIdOf(person: PersonRecord, kind: GroupKind): string
  addGroup(group: {
    kind: GroupKind
    id: string
    name: string
    ownerId: string
    now: Date
    version: string
  }): SimGroup
  putMember(group: SimGroup, member: GroupMember): void
  dropMember(group: SimGroup, personId: string): void
  addPost(group: SimGroup, post: Omit<GroupPost, 'id' | 'groupId'>): GroupPost
  addMessage(person: PersonRecord, message: Omit<ChatMessage, 'id'>): ChatMessage
}

export function createWorld(ids: Ids): World {
  const persons = new Map<string, PersonRecord>()
  const groups = new Map<string, SimGroup>()
  // WeCom compares userids without regard to case
  const userIds = new Map<string, PersonRecord>()
  const openIds = new Map<string, PersonRecord>()
  const externalIds = new Map<string, PersonRecord>()

  function claim(
    index: Map<string, PersonRecord>,
    id: string | undefined,
    person: PersonRecord,
    what: string,
  ) {
    if (id === undefined) return
    if (index.has(id)) throw new Error(`${what} ${id} is taken`)
    index.set(id, person)
  }

  const world: World = {
    corp: createCorp(),
    persons,
    groups,
    robots: new Map(),
    joinWays: new Map(),
    relations: new Map(),
    welcomeCodes: new Map(),
    sent: new Map(),
    responseCodes: new Map(),
    taskIds: new Set(),
    addPerson(input, now) {
      const follows = input.openId !== undefined && input.follows !== false
      const person: PersonRecord = {
        ...input,
        id: `p${ids.counter()}`,
        follows,
        inbox: [],
        groupIds: new Set(),
        departmentIds: input.departmentIds ?? [1],
        ...(follows ? { followedAt: now } : {}),
      }
      claim(userIds, input.wecomUserId?.toLowerCase(), person, 'userid')
      claim(openIds, input.openId, person, 'openid')
      claim(externalIds, input.externalUserId, person, 'external_userid')
      persons.set(person.id, person)
      return person
    },
    person(id) {
      const person = persons.get(id)
      if (!person) throw new Error(`no person ${id} in the simulator`)
      return person
    },
    group(id) {
      const group = groups.get(id)
      if (!group) throw new Error(`no group ${id} in the simulator`)
      return group
    },
    byUserId: userId => userIds.get(userId.toLowerCase()),
    setUserId(person, userId) {
      if (userId !== undefined && userIds.get(userId.toLowerCase()) !== person)
        claim(userIds, userId.toLowerCase(), person, 'userid')
      const before = person.wecomUserId
      if (before !== undefined && before.toLowerCase() !== userId?.toLowerCase())
        userIds.delete(before.toLowerCase())
      if (userId === undefined) {
        if (before !== undefined) person.formerUserId = before
        delete person.wecomUserId
      } else person.wecomUserId = userId
    },
    byOpenId: openId => openIds.get(openId),
    byExternalUserId: externalUserId => externalIds.get(externalUserId),
    memberIdOf(person, kind) {
      if (kind === 'wechat') return person.id
      const userId = person.wecomUserId ?? person.formerUserId
      if (userId !== undefined) return userId
      if (kind !== 'customer') throw new Error(`${person.name} is not a member of the corp`)
      if (person.externalUserId === undefined) {
        person.externalUserId = `wm${ids.letters(30)}`
        externalIds.set(person.externalUserId, person)
      }
      return person.externalUserId
    },
    addGroup({ kind, id, name, ownerId, now, version }) {
      if (groups.has(id)) throw new Error(`group ${id} exists`)
      const group: SimGroup = {
        id,
        kind,
        name,
        ownerId,
        adminIds: [],
        notice: '',
        createdAt: now,
        members: new Map(),
        posts: [],
        robots: [],
        dismissed: false,
        memberVersion: version,
      }
      groups.set(id, group)
      return group
    },
    putMember(group, member) {
      group.members.set(member.personId, member)
      // clients do not show an app's chat in which nothing was said yet
      if (group.kind !== 'appchat' || group.posts.length > 0)
        world.person(member.personId).groupIds.add(group.id)
    },
    dropMember(group, personId) {
      group.members.delete(personId)
      world.person(personId).groupIds.delete(group.id)
    },
    addPost(group, post) {
      const full: GroupPost = { id: `g${ids.counter()}`, groupId: group.id, ...post }
      group.posts.push(full)
      if (group.kind === 'appchat')
        for (const personId of group.members.keys()) world.person(personId).groupIds.add(group.id)
      return full
    },
    addMessage(person, message) {
      const full: ChatMessage = { id: `m${ids.counter()}`, ...message }
      person.inbox.push(full)
      return full
    },
  }
  return world
}

/** What a message looks like before it is put into a chat or a group. */
export interface Content {
  kind: string
  text: string
  card?: Card
  mediaId?: string
}

/** How a person is reached when nothing is said about it: the WeCom app first. */
export function defaultVia(person: SimPerson): Via {
  if (person.wecomUserId !== undefined) return 'wecom'
  if (person.openId !== undefined) return 'officialAccount'
  throw new Error(`${person.name} has neither a WeCom userid nor an openid, so no chat with the bot`)
}
