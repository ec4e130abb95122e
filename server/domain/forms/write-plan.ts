import { lockUnitForForms } from '../../../db/queries/form-returns.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { lastPlanOf, planOf, putPlan } from '../../../db/queries/unit-plans.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { monthOf } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { emptyPlan, PLAN_NUMBERS, type UnitPlan } from './plan-fields.ts'
import { planSheetForm } from './plan-sheet.ts'
import { readPlan } from './read-plan.ts'

const MOST = 100_000
const MAX_TEXT = 100

/** What a county has planned for a year, and where it has nothing yet, what it planned last: to be changed and said anew. */
export async function offerPlan(
  rt: DomainRuntime,
  unitId: number,
  year: number,
): Promise<{ plan: UnitPlan; writtenAt: Date | null; offeredFrom: number | null }> {
  const row = await planOf(rt.db, unitId, year)
  if (row) return { plan: readPlan(rt, row), writtenAt: row.writtenAt, offeredFrom: null }
  const last = await lastPlanOf(rt.db, unitId, year)
  if (!last) return { plan: emptyPlan, writtenAt: null, offeredFrom: null }
  return { plan: readPlan(rt, last), writtenAt: null, offeredFrom: last.year }
}

/**
 * A county says what it means to build in a year (榆林团市委 2014 附件1). Said anew it takes the place of what was said; the
 * very same again changes nothing.
 * @throws DomainError `rights.missing`, `plan.unit`, `plan.year`, `plan.number`, `plan.text`
 */
export function writePlan(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { unit: UnitRow; year: number; plan: UnitPlan },
): Promise<{ isChange: boolean }> {
  const { unit, year, plan } = input
  if (!managesUnit(rt.templates, actor, unit.path)) throw notAllowed(`填报${unit.name}的建设计划`)
  if (unit.programme !== planSheetForm.programme || !planSheetForm.levels.includes(unit.level))
    throw new DomainError('plan.unit', '建设计划由县区团委填报。')
  const current = Number(monthOf(rt.clock.now()).slice(0, 4))
  if (!Number.isInteger(year) || year < current - 1 || year > current + 1)
    throw new DomainError('plan.year', '只能填上一年、今年和明年的计划。')
  checkPlan(plan)
  return inTransaction(rt, async tx => {
    await lockUnitForForms(tx.db, unit.id)
    const before = await planOf(tx.db, unit.id, year)
    if (before && JSON.stringify(readPlan(tx, before)) === JSON.stringify(trimmed(plan)))
      return { isChange: false }
    const now = tx.clock.now()
    const { contact, ...rest } = trimmed(plan)
    await putPlan(tx.db, {
      unitId: unit.id,
      year,
      fields: fieldsOf(rest),
      contactSealed: contact === '' ? null : tx.vault.seal(contact),
      writtenBy: actor.person.id,
      writtenAt: now,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'unit_plan.written',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { year, isChange: before !== null },
    })
    return { isChange: true }
  })
}

function fieldsOf({ numbers, account, accountName, lead }: Omit<UnitPlan, 'contact'>) {
  const said = Object.entries({ ...numbers, account, accountName, lead }).filter(
    (entry): entry is [string, number | string] => entry[1] !== null && entry[1] !== '',
  )
  return Object.fromEntries(said)
}

function trimmed(plan: UnitPlan): UnitPlan {
  const { numbers, account } = plan
  // an account that is not opened has no name
  const accountName = account === 'none' ? '' : plan.accountName.trim()
  return {
    numbers: Object.fromEntries(PLAN_NUMBERS.map(name => [name, numbers[name]])) as UnitPlan['numbers'],
    account,
    accountName,
    lead: plan.lead.trim(),
    contact: plan.contact.trim(),
  }
}

function checkPlan({ numbers, accountName, lead, contact }: UnitPlan): void {
  for (const name of PLAN_NUMBERS) {
    const value = numbers[name]
    if (value !== null && (!Number.isInteger(value) || value < 0 || value > MOST))
      throw new DomainError('plan.number', '群的数量请写 0 以上的整数，没有定的留空。')
  }
  for (const text of [accountName, lead, contact])
    if ([...text].length > MAX_TEXT)
      throw new DomainError('plan.text', `名称、姓名和联系方式请在 ${MAX_TEXT} 字以内。`)
}
