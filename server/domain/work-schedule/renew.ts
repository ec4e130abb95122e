import {
  noteProposal,
  schedulesToRenew,
  schedulesWithoutAuthor,
  type WorkSchedule,
} from '../../../db/queries/work-schedule.ts'
import { dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { managesUnit } from '../actor.ts'
import { answerersFor, managingPairs } from '../groups/managers.ts'
import { absentActor } from '../notices/author.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { takeSchedule } from './give.ts'
import { scheduleRules } from './rules.ts'

/** Schedules that are looked at in one go. */
const PORTION = 100

/**
 * When the year draws to its end, tells each unit that has run a schedule that next year's can be adopted: one message, to
 * who adopted this year's or whoever runs the unit now.
 * @returns how many were told
 */
export async function proposeNextYear(rt: DomainRuntime): Promise<number> {
  const today = dayOf(rt.clock.now())
  const thisYear = Number(today.slice(0, 4))
  let told = 0
  // a server that was down in December says it in January
  for (const year of [thisYear - 1, thisYear].filter(each => today >= `${each}-${scheduleRules.proposeOn}`))
    told += await portionwise(rt, (tx, place) => schedulesToRenew(tx.db, year, place), propose)
  return told
}

async function propose(rt: DomainRuntime, schedule: WorkSchedule): Promise<boolean> {
  const personId = await runnerOf(rt, schedule)
  if (personId === null) return false
  const { unitId, unitName } = schedule
  const year = schedule.year + 1
  const row = { unitId, schedule: schedule.schedule, year, personId, createdAt: rt.clock.now() }
  if (!(await noteProposal(rt.db, row))) return false
  await sendToPerson(
    rt,
    personId,
    'task',
    `【工作日程】${unitName}今年采用了“${titleOf(rt, schedule)}”，到年底自己结束。${year}年的请核对日子后采用：${rt.publicUrl}/console/schedule/adopt?unit=${unitId}&schedule=${schedule.schedule}&year=${year}（不采用就不用管，不会再提醒）`,
  )
  return true
}

/**
 * The notices of a schedule go out in the name of who adopted it. When they do not run the unit any more, whoever does now
 * takes the schedule over and is told once.
 * @returns how many schedules changed hands
 */
export function followOffice(rt: DomainRuntime): Promise<number> {
  const managing = managingPairs(rt.templates)
  return portionwise(rt, (tx, place) => schedulesWithoutAuthor(tx.db, managing, place), give)
}

async function give(rt: DomainRuntime, schedule: WorkSchedule): Promise<boolean> {
  const personId = await runnerOf(rt, schedule)
  const actor = personId === null ? null : await absentActor(rt, personId)
  if (personId === null || !actor) return false
  await takeSchedule(rt, actor, schedule.id)
  await sendToPerson(
    rt,
    personId,
    'task',
    `【工作日程】${schedule.unitName}${schedule.year}年的“${titleOf(rt, schedule)}”原由${schedule.personName}负责，现在转给您，通知到时照发。请看看：${rt.publicUrl}/console/schedule?unit=${schedule.unitId}&year=${schedule.year}`,
  )
  return true
}

type Place = { after: number; limit: number }

/** Does something with each schedule, so many in a transaction. @returns with how many it was done */
async function portionwise(
  rt: DomainRuntime,
  list: (tx: DomainRuntime, place: Place) => Promise<WorkSchedule[]>,
  work: (tx: DomainRuntime, schedule: WorkSchedule) => Promise<boolean>,
): Promise<number> {
  let done = 0
  for (let after = 0, isMore = true; isMore; )
    await inTransaction(rt, async tx => {
      const found = await list(tx, { after, limit: PORTION })
      for (const schedule of found) if (await work(tx, schedule)) done++
      isMore = found.length === PORTION
      after = found.at(-1)?.id ?? after
    })
  return done
}

/** Who adopted it, while they run the unit; else who runs it now; null: nobody. */
async function runnerOf(
  rt: DomainRuntime,
  { unitId, unitPath, personId }: WorkSchedule,
): Promise<number | null> {
  const others = (await answerersFor(rt, [unitId])).get(unitId) ?? []
  for (const id of [personId, ...others]) {
    const actor = await absentActor(rt, id)
    if (actor && managesUnit(rt.templates, actor, unitPath)) return id
  }
  return null
}

const titleOf = ({ templates }: DomainRuntime, { schedule }: WorkSchedule) =>
  templates.schedules.find(each => each.id === schedule)?.title ?? schedule
