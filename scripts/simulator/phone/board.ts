import type { Core } from '../core.ts'
import { massTasks } from '../mass.ts'
import type { Simulator } from '../simulator.ts'

const MOST = 50

/** What waits for somebody anywhere: mass messages, payments, robots' groups. */
export function viewBoard(core: Core, sim: Simulator) {
  return {
    robotGroups: robotGroups(core),
    massTasks: allMassTasks(core),
    officialMasses: core.accounts.length > 0 ? sim.official.massesToConfirm() : [],
    bills: viewBills(core, sim),
    notifications: sim.pay.waiting(),
    balances: sim.pay.merchants(),
  }
}

/** Internal groups: those with robots, and those that could have one. */
function robotGroups(core: Core) {
  const groups = [...core.world.groups.values()].filter(
    group => group.kind === 'internal' && !group.dismissed,
  )
  return groups.slice(0, MOST).map(group => ({
    id: group.id,
    name: group.name,
    members: group.members.size,
    robots: group.robots,
  }))
}

function allMassTasks(core: Core) {
  const tasks = []
  for (const person of core.world.persons.values()) {
    if (person.wecomUserId === undefined) continue
    for (const task of massTasks(core, person.id))
      tasks.push({ ...task, personId: person.id, personName: person.name })
  }
  const rank = (status: string) => (status === 'waiting' ? 0 : 1)
  tasks.sort((a, b) => rank(a.status) - rank(b.status) || b.createdAt.getTime() - a.createdAt.getTime())
  return tasks.slice(0, MOST)
}

/** The newest transfers first, those that wait for the receiver on top. */
export function viewBills(core: Core, sim: Simulator, openId?: string) {
  const rank = (state: string) => (state === 'WAIT_USER_CONFIRM' ? 0 : 1)
  return sim.pay
    .bills()
    .filter(bill => openId === undefined || bill.openId === openId)
    .sort((a, b) => rank(a.state) - rank(b.state) || b.createdAt.getTime() - a.createdAt.getTime())
    .slice(0, MOST)
    .map(bill => {
      const person = core.world.byOpenId(bill.openId)
      return { ...bill, personId: person?.id ?? null, personName: person?.name ?? bill.openId }
    })
}
