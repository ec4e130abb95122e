import { noteReminder, type UnitReturn, unitReturns } from '../../../db/queries/form-returns.ts'
import { addDays, dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { dueDayOf } from './due-day.ts'
import type { OfficialForm } from './form.ts'
import { officialForms } from './index.ts'
import { addPeriods, endOf, periodToSend, periodWords } from './periods.ts'
import { senderLevels } from './senders.ts'

/** Units read at once. */
const PORTION = 2000
/** Units of one form that a message names. */
const MAX_NAMED = 5

interface Due {
  form: OfficialForm
  period: string
  dueOn: string
  daysBefore: number
}

/**
 * Reminds those who answer for units that have not sent a form, on the days before its day that the form's layout says:
 * all forms of a person in one message, and each of these days once, whenever the job runs. A day on which the job did
 * not run is made up for until the next one. @returns how many persons were written to
 */
export function remindOfForms(rt: DomainRuntime): Promise<number> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const lines = new Map<number, string[]>()
    for (const due of await dueForms(tx, now)) {
      const { form, period, daysBefore } = due
      if (!(await noteReminder(tx.db, { form: form.id, period, daysBefore, at: now }))) continue
      for (const [personId, missing] of await missingByPerson(tx, due)) {
        const own = lines.get(personId) ?? []
        own.push(lineOf(due, missing, dayOf(now)))
        lines.set(personId, own)
      }
    }
    const how = '核对后请回复：报送 报表名；要看表请回复：报表 报表名；也可以在网页“报表”里办。'
    await sendToPersons(
      tx,
      [...lines].map(([personId, own]) => ({
        personId,
        text: ['【报表】这些报表还没有报送，按文件规定的日子快到了：', ...own, how].join('\n'),
      })),
      'reminder',
    )
    return lines.size
  })
}

/** The forms whose day is near, each with the step that is to be done today: the nearest that has come. */
async function dueForms(rt: DomainRuntime, now: Date): Promise<Due[]> {
  const today = dayOf(now)
  const found: Due[] = []
  for (const form of officialForms) {
    const { due } = rt.templates.formBasics(form.id)
    if (!due || due.remind.length === 0) continue
    const current = periodToSend(form.rhythm, now)
    for (const step of [-1, 0, 1]) {
      const period = addPeriods(form.rhythm, current, step)
      const day = await dueDayOf(rt, form, period)
      if (day === null || today > day) continue
      const daysBefore = [...due.remind].sort((a, b) => a - b).find(days => today >= addDays(day, -days))
      if (daysBefore !== undefined) found.push({ form, period, dueOn: day, daysBefore })
    }
  }
  return found
}

/** The units that have not sent it, by the persons who answer for them. */
async function missingByPerson(rt: DomainRuntime, { form, period }: Due): Promise<Map<number, UnitReturn[]>> {
  const asked = {
    form: form.id,
    period,
    programme: form.programme,
    levels: senderLevels(form),
    end: endOf(form.rhythm, period),
    paths: ['/'],
    isMissingOnly: true,
  }
  const found = new Map<number, UnitReturn[]>()
  for (let offset = 0; ; offset += PORTION) {
    const units = await unitReturns(rt.db, asked, PORTION, offset)
    const answerers = await answerersFor(
      rt,
      units.map(unit => unit.id),
    )
    for (const unit of units)
      for (const personId of answerers.get(unit.id) ?? []) {
        const own = found.get(personId) ?? []
        own.push(unit)
        found.set(personId, own)
      }
    if (units.length < PORTION) return found
  }
}

function lineOf({ form, period, dueOn: day }: Due, missing: UnitReturn[], today: string): string {
  const names = missing.slice(0, MAX_NAMED).map(unit => unit.name)
  const where = `${names.join('、')}${missing.length > names.length ? `等 ${missing.length} 个单位` : ''}`
  const by = day === today ? '今天截止' : `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日截止`
  return `· ${form.name} ${periodWords(form.rhythm, period)}（${where}），${by}`
}
