import { massTasksOut, type Waiting, waitingFor } from '../../db/queries/rehearsal-run.ts'
import type { RehearsalSettings } from '../../server/domain/rehearsals/settings.ts'
import { chanceOf } from './chance.ts'
import type { RehearsalStage } from './stage.ts'

const HOUR_MS = 3_600_000
const AT_ONCE = 16
/** Group numbers in one message: more than that nobody writes. */
const NUMBERS = 30

/** What somebody is going to do. */
interface Act {
  at: number
  personId: number
  /** Their own groups and tasks, or what this step of the escalation has asked of them. */
  as: 'owner' | 'contact' | 'unit'
}

/**
 * The people of a rehearsal: they look at what comes into their chat, and act by their nature or do not. An owner is of one
 * kind for the whole notice; somebody who is asked about others' groups is, too.
 */
export class People {
  /** Words that the service did not take as what they were. */
  refused = 0
  private acts: Act[] = []
  /** How much of each chat they have seen. */
  private readonly seen = new Map<number, number>()
  private readonly tasksSeen = new Set<number>()
  private readonly planned = new Set<string>()
  private readonly stage: RehearsalStage
  private readonly settings: RehearsalSettings
  private readonly notice: { id: number; issuedAt: Date; deadlineAt: Date }

  constructor(
    stage: RehearsalStage,
    settings: RehearsalSettings,
    notice: { id: number; issuedAt: Date; deadlineAt: Date },
  ) {
    this.stage = stage
    this.settings = settings
    this.notice = notice
    for (const [personId, simId] of stage.simPersonOf) this.seen.set(personId, stage.sim.inbox(simId).length)
  }

  /** When somebody does something next; null: nobody means to. */
  nextAt(): Date | null {
    const next = this.acts.reduce((least, act) => Math.min(least, act.at), Number.POSITIVE_INFINITY)
    return Number.isFinite(next) ? new Date(next) : null
  }

  /** Everybody looks at what is new for them, and makes up their mind. */
  async look(): Promise<void> {
    const { sim, simPersonOf, server } = this.stage
    const written: number[] = []
    for (const [personId, simId] of simPersonOf) {
      const inbox = sim.inbox(simId)
      const isNews = inbox
        .slice(this.seen.get(personId) ?? 0)
        .some(message => message.from === 'bot' && !message.passive)
      this.seen.set(personId, inbox.length)
      if (isNews) written.push(personId)
    }
    for (const { id, personId } of await massTasksOut(server.rt.db)) {
      if (this.tasksSeen.has(id)) continue
      this.tasksSeen.add(id)
      this.plan(personId, 'owner')
    }
    for (const waiting of await waitingFor(server.rt.db, written))
      this.plan(waiting.personId, roleIn(waiting))
  }

  private plan(personId: number, as: Act['as']): void {
    const key = `${personId} ${as}`
    if (this.planned.has(key)) return
    const delay = this.delayOf(personId, as)
    if (delay === null) return
    this.planned.add(key)
    this.acts.push({ at: this.stage.clock.now().getTime() + delay, personId, as })
  }

  /** How long they take; null: they never do it. */
  private delayOf(personId: number, as: Act['as']): number | null {
    const { seed, ownersSoon, ownersLate, contacts, units } = this.settings
    const now = this.stage.clock.now().getTime()
    const { issuedAt, deadlineAt } = this.notice
    const span = deadlineAt.getTime() - issuedAt.getTime()
    const left = Math.max(0, deadlineAt.getTime() - now)
    // where two hours are all there is, soon is within the first quarter of it
    const soon = Math.min(2 * HOUR_MS, span / 4)
    const nature = chanceOf(seed, as, personId)
    const pace = chanceOf(seed, as, personId, 'pace')
    if (as !== 'owner')
      return nature < (as === 'unit' ? units : contacts) ? pace * Math.min(soon, left) : null
    if (nature < ownersSoon) return pace * Math.min(soon, left)
    if (nature >= ownersSoon + ownersLate) return null
    return left <= soon ? pace * left : soon + pace * (left - soon)
  }

  /** Those whose time has come do what they meant to, side by side. @returns how many */
  async act(): Promise<number> {
    const now = this.stage.clock.now().getTime()
    const due = this.acts.filter(act => act.at <= now)
    this.acts = this.acts.filter(act => act.at > now)
    for (const { personId, as } of due) this.planned.delete(`${personId} ${as}`)
    for (let from = 0; from < due.length; from += AT_ONCE)
      await Promise.all(due.slice(from, from + AT_ONCE).map(act => this.doIt(act)))
    return due.length
  }

  private async doIt({ personId, as }: Act): Promise<void> {
    const { sim, simPersonOf, server } = this.stage
    const simId = simPersonOf.get(personId)
    if (simId === undefined) return
    if (as === 'owner')
      for (const task of sim.massTasks(simId))
        if (task.status === 'waiting') await sim.confirmMassTask(simId, task.msgid)
    const waiting = (await waitingFor(server.rt.db, [personId])).filter(each => roleIn(each) === as)
    if (waiting.length === 0) return
    const { id } = this.notice
    // somebody who was only called asks for the text first
    if (sim.inbox(simId).findLast(message => message.from === 'bot' && !message.passive)?.kind === 'template')
      await sim.say(simId, `通知 ${id}`)
    const groupIds = waiting.map(each => each.groupId)
    const words =
      as === 'owner'
        ? [`转 ${id}`]
        : Array.from({ length: Math.ceil(groupIds.length / NUMBERS) }, (_, at) =>
            ['转', id, ...groupIds.slice(at * NUMBERS, (at + 1) * NUMBERS)].join(' '),
          )
    for (const word of words) {
      const replies = await sim.say(simId, word)
      if (!replies.some(reply => reply.text.startsWith('已登记'))) this.refused++
    }
  }
}

function roleIn({ step }: Waiting): Act['as'] {
  if (step === null) return 'owner'
  return step.includes('above') ? 'unit' : 'contact'
}
