import { type AdminActors, createAdminActors } from './admin-actors.ts'
import type { AibotActors } from './aibot/actors.ts'
import * as chat from './chat.ts'
import type { Core } from './core.ts'
import { mainAccount, mainApp } from './core.ts'
import { callbackKey } from './crypto.ts'
import { type CustomerActors, createCustomerActors } from './customer-actors.ts'
import type { Faults } from './faults.ts'
import * as groups from './groups.ts'
import { joinByCode } from './join-codes.ts'
import { confirmMassTask, massTasks } from './mass.ts'
import { createOfficialActors, type OfficialActors } from './official-actors.ts'
import type { Pay } from './pay/pay.ts'
import type {
  ChatMessage,
  GroupPost,
  LimitName,
  LogEntry,
  MassTask,
  NewGroup,
  NewPerson,
  OfficialAccountSettings,
  Reply,
  SimGroup,
  SimPerson,
  Via,
  WecomAppSettings,
} from './types.ts'

/** What tests, the demo and the phone page do with a running simulator. Each act of a person goes over real HTTP. */
export interface Simulator {
  url: string
  baseUrls: { wecom: string; officialAccount: string; pay: string }
  log: LogEntry[]
  faults: Pick<Faults, 'on' | 'off' | 'clear' | 'active'>
  limits: { set(name: LimitName, on: boolean): void }

  /** The first app is the one that people write to and that hears of customer groups. */
  addWecomApp(app: WecomAppSettings): void
  addOfficialAccount(account: OfficialAccountSettings): void
  setCallbackUrl(which: Via, url: string): void
  /** What saving the callback address in the console does: GET with echostr, one second to answer. */
  verifyUrl(which: Via): Promise<boolean>

  addPerson(person: NewPerson): SimPerson
  persons(): SimPerson[]
  person(id: string): SimPerson
  inbox(personId: string): ChatMessage[]

  /** Resolves with the passive replies, already in the person's chat. */
  say(personId: string, text: string, via?: Via): Promise<Reply[]>
  sendImage(personId: string, picture?: string | Buffer, via?: Via): Promise<Reply[]>
  sendLink(
    personId: string,
    link: { title: string; url: string; description?: string },
    via?: Via,
  ): Promise<Reply[]>
  sendLocation(
    personId: string,
    place: { latitude: number; longitude: number; label: string },
    via?: Via,
  ): Promise<Reply[]>
  follow(personId: string, scene?: string): Promise<Reply[]>
  unfollow(personId: string): Promise<void>
  clickMenu(personId: string, key: string, via?: Via): Promise<Reply[]>
  enterApp(personId: string): Promise<Reply[]>
  tapCard(
    personId: string,
    messageId: string,
    buttonKey: string,
    choices?: Record<string, string[]>,
  ): Promise<Reply[]>
  /** A customer adds a staff member: event add_external_contact with a welcome code. */
  befriend(
    staffId: string,
    customerId: string,
    how?: { state?: string; addWay?: number; isHalf?: boolean },
  ): Promise<void>

  /** A customer group's `create` event goes out in the background, before any later event of that group. */
  createGroup(group: NewGroup): SimGroup
  groups(): SimGroup[]
  group(id: string): SimGroup
  addRobot(groupId: string): string
  removeRobot(keyOrUrl: string): void
  joinGroup(groupId: string, personId: string, how?: groups.JoinHow): Promise<void>
  /** A member brings in several at once: one event names them all. */
  inviteToGroup(groupId: string, inviterId: string, personIds: string[]): Promise<void>
  setGroupAdmin(groupId: string, personId: string, isAdmin: boolean): void
  leaveGroup(groupId: string, personId: string, how?: { removed?: boolean }): Promise<void>
  changeOwner(groupId: string, personId: string): Promise<void>
  renameGroup(groupId: string, name: string): Promise<void>
  setNotice(groupId: string, notice: string): Promise<void>
  dismissGroup(groupId: string): Promise<void>
  joinByCode(code: string, personId: string): Promise<SimGroup>
  post(groupId: string, personId: string, text: string): GroupPost
  forwardToGroup(personId: string, messageId: string, groupId: string): GroupPost

  massTasks(personId: string): MassTask[]
  confirmMassTask(personId: string, msgid: string, onlyIds?: string[]): Promise<GroupPost[]>

  admin: AdminActors
  customers: CustomerActors
  official: OfficialActors
  aibot: AibotActors
  pay: Pay

  /** Resolves when no callback is under way or waiting. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** Binds the parts of the simulator to one core. */
export function createSimulator(
  core: Core,
  { aibot, pay }: Pick<Simulator, 'aibot' | 'pay'>,
  stop: () => Promise<void>,
): Simulator {
  const { world, clock } = core
  return {
    url: core.url,
    baseUrls: {
      wecom: `${core.url}/qyapi.weixin.qq.com`,
      officialAccount: `${core.url}/api.weixin.qq.com`,
      pay: `${core.url}/api.mch.weixin.qq.com`,
    },
    log: core.log.entries,
    faults: core.faults,
    limits: core.limits,

    addWecomApp(app) {
      if (core.apps.some(known => known.secret === app.secret))
        throw new Error('two apps cannot have the same secret')
      core.apps.push({
        ...app,
        channel: {
          which: 'wecom',
          key: callbackKey(app.token, app.aesKey, app.corpId),
          mode: 'secure',
          toUserName: app.corpId,
          agentId: app.agentId,
          ...(app.callbackUrl === undefined ? {} : { url: app.callbackUrl }),
        },
      })
    },
    addOfficialAccount(account) {
      core.accounts.push({
        ...account,
        channel: {
          which: 'officialAccount',
          key:
            account.mode === 'plain' && account.aesKey === ''
              ? { token: account.token, aesKey: Buffer.alloc(0), receiveId: account.appId }
              : callbackKey(account.token, account.aesKey, account.appId),
          mode: account.mode,
          toUserName: account.originalId,
          ...(account.callbackUrl === undefined ? {} : { url: account.callbackUrl }),
        },
      })
    },
    setCallbackUrl(which, url) {
      // refuses a malformed address now instead of at the first callback
      const { href } = new URL(url)
      const { channel } = which === 'wecom' ? mainApp(core) : mainAccount(core)
      channel.url = href
    },
    verifyUrl: which =>
      core.callbacks.verify(which === 'wecom' ? mainApp(core).channel : mainAccount(core).channel),

    addPerson: person => world.addPerson(person, clock.now()),
    persons: () => [...world.persons.values()],
    person: id => world.person(id),
    inbox: personId => world.person(personId).inbox,

    say: (personId, text, via) => chat.say(core, personId, text, via),
    sendImage: (personId, picture, via) => chat.sendImage(core, personId, picture, via),
    sendLink: (personId, link, via) => chat.sendLink(core, personId, link, via),
    sendLocation: (personId, place, via) => chat.sendLocation(core, personId, place, via),
    follow: (personId, scene) => chat.follow(core, personId, scene),
    unfollow: personId => chat.unfollow(core, personId),
    clickMenu: (personId, key, via) => chat.clickMenu(core, personId, key, via),
    enterApp: personId => chat.enterApp(core, personId),
    tapCard: (personId, messageId, key, choices) => chat.tapCard(core, personId, messageId, key, choices),
    befriend: (staffId, customerId, how) => chat.befriend(core, staffId, customerId, how),

    createGroup: group => groups.createGroup(core, group),
    groups: () => [...world.groups.values()],
    group: id => world.group(id),
    addRobot: groupId => groups.addRobot(core, groupId),
    removeRobot: keyOrUrl => groups.removeRobot(core, keyOrUrl),
    joinGroup: (groupId, personId, how) => groups.joinGroup(core, groupId, personId, how),
    inviteToGroup: (groupId, inviterId, personIds) =>
      groups.inviteToGroup(core, groupId, inviterId, personIds),
    setGroupAdmin: (groupId, personId, isAdmin) => groups.setGroupAdmin(core, groupId, personId, isAdmin),
    leaveGroup: (groupId, personId, how) => groups.leaveGroup(core, groupId, personId, how),
    changeOwner: (groupId, personId) => groups.changeOwner(core, groupId, personId),
    renameGroup: (groupId, name) => groups.renameGroup(core, groupId, name),
    setNotice: (groupId, notice) => groups.setNotice(core, groupId, notice),
    dismissGroup: groupId => groups.dismissGroup(core, groupId),
    joinByCode: (code, personId) => joinByCode(core, code, personId),
    post: (groupId, personId, text) => groups.postAsPerson(core, groupId, personId, { kind: 'text', text }),
    forwardToGroup: (personId, messageId, groupId) =>
      groups.forwardToGroup(core, personId, messageId, groupId),

    massTasks: personId => massTasks(core, personId),
    confirmMassTask: async (personId, msgid, onlyIds) => confirmMassTask(core, personId, msgid, onlyIds),

    admin: createAdminActors(core),
    customers: createCustomerActors(core),
    official: createOfficialActors(core),
    aibot,
    pay,

    idle: () => core.callbacks.idle(),
    stop,
  }
}
