import type { RosterEntryRow } from '../../../db/queries/roster.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskIdNumber } from './id-number.ts'
import { maskPhone } from './phone.ts'
import type { ChangedPerson } from './place-persons.ts'
import type { NewEntry, RosterPlan } from './plan-import.ts'

/** One entry in words. */
export interface EntryLine {
  name: string
  unitName: string
  /** Role and 职务. */
  role: string
  status: string
}

/** What changes, each as before and after. */
export interface ChangedLine extends EntryLine {
  changes: [what: string, before: string, after: string][]
}

/** The beginning of each list of a plan, for people to look through. Numbers are masked. */
export interface PlanLists {
  new: EntryLine[]
  changed: ChangedLine[]
  unchanged: EntryLine[]
  gone: EntryLine[]
  /** Persons whose name or numbers are brought up to date. */
  persons: ChangedLine[]
  newPersonCount: number
  changedPersonCount: number
}

const SHOWN = 50

export function describePlan(rt: DomainRuntime, plan: RosterPlan): PlanLists {
  const line = (entry: Omit<RosterEntryRow, 'id' | 'importId' | 'goneImportId'>, name: string): EntryLine => {
    const role = rt.templates.role(plan.programme, entry.role).name
    return {
      name,
      unitName: plan.units.get(entry.unitId)?.name ?? '',
      role: entry.title && entry.title !== role ? `${role}（${entry.title}）` : role,
      status: entry.status,
    }
  }
  const known = (entry: RosterEntryRow) => line(entry, plan.present.get(entry.personId)?.name ?? '')
  return {
    new: plan.fresh.slice(0, SHOWN).map(entry => line(entry, entry.row.name)),
    changed: plan.changed.slice(0, SHOWN).map(({ before, after }) => ({
      ...line(after, after.row.name),
      changes: entryChanges(before, after),
    })),
    unchanged: plan.unchanged.slice(0, SHOWN).map(known),
    gone: plan.gone.slice(0, SHOWN).map(known),
    persons: [...plan.persons.changed.values()].slice(0, SHOWN).map(changed => ({
      name: changed.row.name,
      unitName: '',
      role: '',
      status: '',
      changes: personChanges(rt, changed, plan.present.has(changed.person.id)),
    })),
    newPersonCount: plan.persons.fresh.length,
    changedPersonCount: plan.persons.changed.size,
  }
}

const COMPARED = [
  ['title', '职务'],
  ['category', '人员类别'],
  ['post', '服务单位'],
  ['university', '派出高校'],
  ['endsOn', '服务结束日期'],
  ['status', '状态'],
] as const

function entryChanges(before: RosterEntryRow, after: NewEntry): ChangedLine['changes'] {
  const changes: ChangedLine['changes'] = COMPARED.filter(([column]) => before[column] !== after[column]).map(
    ([column, what]) => [what, before[column] ?? '', after[column] ?? ''],
  )
  for (const header of new Set([...Object.keys(before.extra), ...Object.keys(after.extra)]))
    if (before.extra[header] !== after.extra[header])
      changes.push([header, before.extra[header] ?? '', after.extra[header] ?? ''])
  return changes
}

/** @param isPresent they stand in a unit of the file: what was known of somebody else is not told */
function personChanges(
  rt: DomainRuntime,
  { person, set, row }: ChangedPerson,
  isPresent: boolean,
): ChangedLine['changes'] {
  const before = (sealed: string | null, mask: (text: string) => string) =>
    sealed === null ? '' : isPresent ? mask(rt.vault.open(sealed)) : '原来的'
  const changes: ChangedLine['changes'] = []
  if (set.name) changes.push(['姓名', isPresent ? person.name : '原来的', row.name])
  if (set.phoneIndex) changes.push(['手机号', before(person.phoneSealed, maskPhone), maskPhone(row.phone)])
  if (set.idNumberIndex)
    changes.push(['身份证号', before(person.idNumberSealed, maskIdNumber), maskIdNumber(row.idNumber)])
  if (set.wechatIndex) changes.push(['微信号', person.wechatSealed ? '原来的' : '', '名册里的'])
  return changes
}
