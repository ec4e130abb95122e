import type { UnitPlanRow } from '../../../db/queries/unit-plans.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { ACCOUNT_KINDS, type AccountKind, emptyPlan, PLAN_NUMBERS, type UnitPlan } from './plan-fields.ts'

/** A stored plan; of one that was never written, an empty one. */
export function readPlan(rt: Pick<DomainRuntime, 'vault'>, row: UnitPlanRow | null): UnitPlan {
  if (!row) return emptyPlan
  const { fields } = row
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '')
  const account = text('account')
  return {
    numbers: Object.fromEntries(
      PLAN_NUMBERS.map(name => [name, typeof fields[name] === 'number' ? fields[name] : null]),
    ) as UnitPlan['numbers'],
    account: account === 'none' || isAccountKind(account) ? account : null,
    accountName: text('accountName'),
    lead: text('lead'),
    contact: row.contactSealed === null ? '' : rt.vault.open(row.contactSealed),
  }
}

function isAccountKind(text: string): text is AccountKind {
  return ACCOUNT_KINDS.some(([id]) => id === text)
}
