import { personById } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { Templates } from '../../templates.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { writeWorkbook } from '../reports/write-workbook.ts'
import type { FilledBy, OfficialForm } from './form.ts'
import { isPeriod, periodWords } from './periods.ts'

/** Which form of which unit and period. */
export interface FormAsked {
  form: OfficialForm
  unit: UnitRow
  period: string
}

export interface WrittenForm {
  file: Buffer
  fileName: string
}

/** Why there is no such form, with who has one; null when there is. */
export function whyNoForm(templates: Templates, { form, unit, period }: FormAsked, now: Date): string | null {
  const programme = templates.programme(form.programme)
  if (unit.programme !== form.programme)
    return `${form.name}是${programme.name}的报表，${templates.programme(unit.programme).name}没有这张表。`
  if (!form.levels.includes(unit.level)) {
    const kinds = programme.unitKinds.filter(kind => form.levels.includes(kind.level))
    return `${form.name}由${kinds.map(kind => kind.name).join('、')}填报，一家一张；${unit.name}没有自己的表。`
  }
  return isPeriod(form.rhythm, period, now)
    ? null
    : `${periodWords(form.rhythm, period)}还没有到，没有可填的数。`
}

/** The form as an XLSX, phone numbers and accounts whole. */
export async function writeForm(
  rt: DomainRuntime,
  { form, unit, period }: FormAsked,
  filledBy: FilledBy,
): Promise<WrittenForm> {
  const plan = await form.plan(rt, unit, period, filledBy, 'whole')
  return { file: await writeWorkbook(plan), fileName: `${form.name}-${unit.name}-${period}.xlsx` }
}

/** As whom somebody fills a form in: their name, and their own phone number. */
export async function filledByActor(rt: DomainRuntime, actor: KnownActor): Promise<FilledBy> {
  const person = await personById(rt.db, actor.person.id)
  return {
    name: actor.person.name,
    contact: person?.phoneSealed ? rt.vault.open(person.phoneSealed) : '',
  }
}

/**
 * The form as somebody fetches it: filled in by them, and noted that they have it.
 * @throws DomainError `rights.missing`, `form.none` for a unit or a period that has none
 */
export function fetchForm(rt: DomainRuntime, actor: KnownActor, asked: FormAsked): Promise<WrittenForm> {
  checkForm(rt, actor, asked, '导出')
  return inTransaction(rt, async tx => {
    const written = await writeForm(tx, asked, await filledByActor(tx, actor))
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'sheet.exported',
      subjectKind: 'unit',
      subjectId: asked.unit.id,
      details: detailsOf(rt, asked),
    })
    return written
  })
}

/** @throws DomainError `rights.missing`, `form.none` */
export function checkForm(rt: DomainRuntime, actor: KnownActor, asked: FormAsked, deed: string): void {
  const { form, unit } = asked
  if (!managesUnit(rt.templates, actor, unit.path)) throw notAllowed(`${deed}${unit.name}的${form.name}`)
  const why = whyNoForm(rt.templates, asked, rt.clock.now())
  if (why !== null) throw new DomainError('form.none', why)
}

/** What the audit log keeps of a form that was taken away or sent. */
export function detailsOf(rt: DomainRuntime, { form, period }: FormAsked): Record<string, unknown> {
  const { layoutVersion } = rt.templates.formBasics(form.id)
  return {
    form: form.id,
    name: form.name,
    layoutVersion,
    period,
    ...(form.rhythm === 'month' ? { month: period } : {}),
  }
}
