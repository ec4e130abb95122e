import type { Core } from '../core.ts'
import { FAULTS } from '../faults.ts'
import { massTasks } from '../mass.ts'
import type { Simulator } from '../simulator.ts'
import type { FaultName, GroupPost, LimitName, SimGroup } from '../types.ts'
import type { PersonRecord } from '../world.ts'
import { viewBills } from './board.ts'
import { LIMITS } from './limit-names.ts'

// What the phone page is told, as plain JSON.
const MOST_PERSONS = 60
const MOST_MESSAGES = 200

/** The buttons of a menu that call the server or open a page, without their folders. */
function menuButtons(menu: unknown): { name: string; key?: string; url?: string }[] {
  const list = typeof menu === 'object' && menu !== null && 'button' in menu ? menu.button : menu
  if (!Array.isArray(list)) return []
  return list.flatMap(button => {
    if (Array.isArray(button.sub_button) && button.sub_button.length > 0)
      return menuButtons(button.sub_button)
    const name = String(button.name ?? '')
    if (typeof button.key === 'string') return [{ name, key: button.key }]
    return typeof button.url === 'string' ? [{ name, url: button.url }] : []
  })
}

export function viewState(core: Core, sim: Simulator) {
  const [app] = core.apps
  const [account] = core.accounts
  const active = core.faults.active()
  const robot = sim.aibot.settings()
  return {
    now: core.clock.now(),
    control: core.options.phoneControl !== false,
    wecom: app ? { name: app.name ?? '企业微信应用', menu: menuButtons(app.menu) } : null,
    officialAccount: account
      ? { name: account.name ?? '公众号', kind: account.kind, menu: menuButtons(account.menu) }
      : null,
    aibot: robot ? { name: robot.name, menu: [] } : null,
    limits: Object.entries(LIMITS).map(([name, label]) => ({
      name,
      label,
      on: core.limits.has(name as LimitName),
    })),
    faults: Object.entries(FAULTS).map(([name, label]) => ({
      name,
      label,
      on: name in active,
      options: active[name as FaultName] ?? null,
    })),
    counts: { persons: core.world.persons.size, groups: core.world.groups.size, log: core.log.total() },
  }
}

export function viewPersons(core: Core, query: string) {
  const wanted = query.trim().toLowerCase()
  const persons = []
  let total = 0
  for (const person of core.world.persons.values()) {
    const haystack =
      `${person.name} ${person.note ?? ''} ${person.wecomUserId ?? ''} ${person.id}`.toLowerCase()
    if (!haystack.includes(wanted)) continue
    total += 1
    if (persons.length >= MOST_PERSONS) continue
    const last = person.inbox[person.inbox.length - 1]
    persons.push({
      id: person.id,
      name: person.name,
      note: person.note ?? '',
      last: last ? { text: last.text.slice(0, 40), at: last.at } : null,
    })
  }
  return { total, persons }
}

function ownedOrMember(core: Core, sim: Simulator, person: PersonRecord) {
  return [...person.groupIds].map(id => {
    const group = core.world.group(id)
    const last = group.posts[group.posts.length - 1]
    return {
      id,
      name: group.name,
      kind: group.kind,
      members: group.members.size,
      owns: group.ownerId === person.id,
      last: last ? { by: authorName(core, sim, last), text: last.text.slice(0, 40), at: last.at } : null,
    }
  })
}

export function viewPerson(core: Core, sim: Simulator, id: string) {
  const person = core.world.person(id)
  return {
    id,
    name: person.name,
    note: person.note ?? '',
    wecom: person.wecomUserId !== undefined,
    officialAccount: person.openId !== undefined,
    follows: person.follows,
    aibot: person.wecomUserId !== undefined,
    messages: [
      ...person.inbox.slice(-MOST_MESSAGES),
      ...sim.aibot
        .chat(id)
        .slice(-MOST_MESSAGES)
        .map(message => ({ ...message, via: 'aibot' })),
    ],
    bills: person.openId === undefined ? [] : viewBills(core, sim, person.openId).slice(0, 5),
    groups: ownedOrMember(core, sim, person),
    tasks: massTasks(core, id).reverse().slice(0, 50),
  }
}

function authorName(core: Core, sim: Simulator, post: GroupPost): string {
  if (post.via === 'aibot') return sim.aibot.settings()?.name ?? '智能机器人'
  if (post.via === 'robot') return '群机器人'
  if (post.via === 'appchat') return core.apps[0]?.name ?? '企业微信应用'
  return core.world.persons.get(post.by)?.name ?? post.by
}

export function viewGroup(core: Core, sim: Simulator, id: string) {
  const group: SimGroup = core.world.group(id)
  return {
    id,
    name: group.name,
    kind: group.kind,
    notice: group.notice,
    owner: core.world.person(group.ownerId).name,
    dismissed: group.dismissed,
    members: [...group.members.values()].slice(0, 500).map(member => ({
      id: member.personId,
      name: core.world.person(member.personId).name,
    })),
    memberCount: group.members.size,
    posts: group.posts.slice(-MOST_MESSAGES).map(post => ({ ...post, author: authorName(core, sim, post) })),
  }
}
