import { appendAudit } from '../../../db/queries/platform.ts'
import { holdersOf, unitById } from '../../../db/queries/units.ts'
import {
  changeMentor,
  dropVolunteerStep,
  endKeep,
  insertKeep,
  placeVolunteer,
  reachableOf,
  writeVolunteerStep,
} from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, runsVeryUnit } from '../actor.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { checkYear } from './files.ts'
import { requireFile, type VolunteerFile } from './offices.ts'
import { keepRule, keptUntil, volunteerRules } from './rules.ts'
import { WRITTEN_STEPS } from './way.ts'

/**
 * Writes a step of somebody's way that no roster says; the same step once more puts its day right.
 * @param input.on `YYYY-MM-DD`, today or before
 * @throws DomainError `volunteer.unknown`, `volunteer.step`, `volunteer.day`
 */
export function writeStep(
  rt: DomainRuntime,
  actor: KnownActor,
  { fileId, step, on }: { fileId: number; step: string; on: string },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const file = await requireFile(tx, actor, fileId)
    if (!WRITTEN_STEPS.some(each => each === step)) throw new DomainError('volunteer.step', '请选一步。')
    checkDay(tx, on)
    await writeVolunteerStep(tx.db, {
      fileId: file.id,
      step,
      on,
      writtenBy: actor.person.id,
      writtenAt: tx.clock.now(),
    })
    await note(tx, actor, 'volunteer.step_written', file, { step, on })
  })
}

/** Takes a step back that was written by mistake. @throws DomainError `volunteer.unknown`, `volunteer.step` */
export function takeStepBack(
  rt: DomainRuntime,
  actor: KnownActor,
  { fileId, step }: { fileId: number; step: string },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const file = await requireFile(tx, actor, fileId)
    if (!(await dropVolunteerStep(tx.db, file.id, step)))
      throw new DomainError('volunteer.step', '没有登记过这一步。')
    await note(tx, actor, 'volunteer.step_dropped', file, { step })
  })
}

/**
 * Says the college and the year of somebody. Only 校项目办 moves people between colleges.
 * @throws DomainError `volunteer.unknown`, `rights.missing`, `volunteer.college`, `volunteer.year`
 */
export function setPlace(
  rt: DomainRuntime,
  actor: KnownActor,
  { fileId, collegeId, year }: { fileId: number; collegeId: number | null; year: number | null },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const file = await requireFile(tx, actor, fileId)
    if (collegeId !== file.collegeId) {
      if (!runsVeryUnit(tx.templates, actor, file.unitId)) throw notAllowed('改志愿者的院系（请校项目办改）')
      const college = collegeId === null ? null : await unitById(tx.db, collegeId)
      const isOurs = college?.kind === volunteerRules.collegeKind && college.parentId === file.unitId
      if (collegeId !== null && !isOurs) throw new DomainError('volunteer.college', '请选本校的一个院系。')
    }
    if (year !== null) checkYear(tx, year)
    await placeVolunteer(tx.db, file.id, { collegeId, year })
    await note(tx, actor, 'volunteer.placed', file, { collegeId, year })
  })
}

/** Who may be a mentor: the mentors of the university and everybody of its office and of the college's. */
export async function mentorsFor(
  rt: DomainRuntime,
  file: Pick<VolunteerFile, 'unitId' | 'collegeId'>,
): Promise<{ personId: number; name: string; title: string | null }[]> {
  const holders = [
    ...(await holdersOf(rt.db, file.unitId)),
    ...(file.collegeId === null ? [] : await holdersOf(rt.db, file.collegeId)),
  ]
  const found = new Map<number, { personId: number; name: string; title: string | null }>()
  for (const { personId, name, role, title } of holders)
    if (!found.has(personId))
      found.set(personId, {
        personId,
        name,
        title: title ?? rt.templates.role(volunteerRules.programme, role).name,
      })
  return [...found.values()]
}

/**
 * Names a mentor for somebody (为服务期内的志愿者聘请导师, 三.(四)), or nobody; the mentor and the volunteer are told.
 * @throws DomainError `volunteer.unknown`, `volunteer.mentor`
 */
export function assignMentor(
  rt: DomainRuntime,
  actor: KnownActor,
  { fileId, mentorId }: { fileId: number; mentorId: number | null },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const file = await requireFile(tx, actor, fileId)
    const mentor = (await mentorsFor(tx, file)).find(each => each.personId === mentorId)
    if (mentorId !== null && (!mentor || mentorId === file.personId))
      throw new DomainError('volunteer.mentor', '导师请从学校的导师和项目办的同志里选。')
    const by = { personId: actor.person.id, today: dayOf(tx.clock.now()) }
    if (!(await changeMentor(tx.db, file.id, mentorId, by))) return
    await note(tx, actor, 'volunteer.mentor_named', file, { mentorId })
    if (!mentor) return
    const messages = [
      { personId: mentor.personId, text: mentorWords(file.unitName, [file.personName]) },
      { personId: file.personId, text: ownMentorWords(file.unitName, mentor.name) },
    ]
    const known = await reachableOf(
      tx.db,
      messages.map(each => each.personId),
    )
    const reachable = messages.filter(each => known.has(each.personId))
    await sendToPersons(tx, reachable, 'task')
  })
}

/** To a mentor: whom they were asked to look after. */
export function mentorWords(university: string, names: readonly string[]): string {
  return `【志愿者导师】${university}请您做志愿者${names.join('、')}的导师，平时多联系。联系过后发一句就记下了，如：联系 ${names[0] ?? ''} 今天电话，一切都好。看您带的志愿者：我的志愿者`
}

/** To a volunteer: who their mentor is. */
export function ownMentorWords(university: string, mentor: string): string {
  return `【志愿者导师】${university}为您请的导师是${mentor}，有想法、有困难可以找导师。联系过后发一句就记下了，如：联系 导师 今天通了电话`
}

/**
 * Notes that the university keeps something for somebody from a day on; until when is the rule's (四.(一).2–3).
 * @throws DomainError `volunteer.unknown`, `volunteer.keep`, `volunteer.day`
 */
export function keepFor(
  rt: DomainRuntime,
  actor: KnownActor,
  { fileId, what, sinceOn }: { fileId: number; what: string; sinceOn: string },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const file = await requireFile(tx, actor, fileId)
    const rule = keepRule(what)
    if (!rule) throw new DomainError('volunteer.keep', '请选保留什么。')
    checkDay(tx, sinceOn)
    const untilOn = keptUntil(rule, sinceOn)
    const isNew = await insertKeep(tx.db, {
      fileId: file.id,
      what,
      sinceOn,
      untilOn,
      writtenBy: actor.person.id,
      writtenAt: tx.clock.now(),
    })
    if (!isNew) throw new DomainError('volunteer.keep', `${rule.name}已经在保留，没有再登记。`)
    await note(tx, actor, 'volunteer.kept', file, { what, untilOn })
  })
}

/** What was kept is handed over or taken up. @throws DomainError `volunteer.unknown`, `volunteer.keep` */
export function endKeeping(
  rt: DomainRuntime,
  actor: KnownActor,
  { fileId, keepId }: { fileId: number; keepId: number },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const file = await requireFile(tx, actor, fileId)
    const what = await endKeep(tx.db, file.id, keepId, dayOf(tx.clock.now()))
    if (what === null) throw new DomainError('volunteer.keep', '这一项已经不在保留了。')
    await note(tx, actor, 'volunteer.keep_ended', file, { what })
  })
}

/** @throws DomainError `volunteer.day` */
export function checkDay(rt: DomainRuntime, day: string): void {
  const at = Date.parse(`${day}T00:00:00Z`)
  const isReal = Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === day
  if (!isReal || day > dayOf(rt.clock.now()) || day < '2003-01-01')
    throw new DomainError('volunteer.day', '日期要在今天或以前。')
}

function note(
  rt: DomainRuntime,
  actor: KnownActor,
  action: string,
  file: VolunteerFile,
  details: Record<string, unknown>,
): Promise<void> {
  return appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action,
    subjectKind: 'person',
    subjectId: file.personId,
    details: { unitId: file.unitId, ...details },
  })
}
