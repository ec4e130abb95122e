import {
  contactsOfOffices,
  groupsAgainstPlan,
  groupsInUnits,
  insuredVolunteers,
  type Measure,
  namedManagers,
  namesThatObey,
  personsInUnits,
  type TargetRow,
  type TargetScope,
  youthForCadres,
} from '../../../db/queries/targets.ts'
import policy from '../../../templates/policies/inspection.json' with { type: 'json' }
import type { Duty, Templates } from '../../templates.ts'
import { contactRulesOf } from '../contacts/rules.ts'
import { rolesMeant } from '../groups/entitlement.ts'
import { quotaRules, thresholdsOf } from '../quotas/rules.ts'

/** `templates/policies/inspection.json`. */
export const inspectionRules = policy

/** A threshold of the notices for every unit that it concerns. Units are measured, not persons. */
export interface Target {
  id: string
  programme: string
  /** As people call it. */
  name: string
  /** 个, 人 … */
  word: string
  unitKinds: readonly string[]
  /** At most so many; else at least. */
  isMost?: boolean
  /** The duty of the programme's template that it is read from. */
  duty: string
  /** The duty that says by which day of the year (`MM-DD`). */
  dueDuty?: string
  /** What is measured, with what is not known. */
  note?: string
  /** The page that lists what a unit's number is made of. */
  behind(unitId: number): string
  /** @param today `YYYY-MM-DD` */
  measure(templates: Templates, today: string): Measure
}

const groupsOf = (unitId: number) => `/console/groups?unit=${unitId}`
const rosterOf = (unitId: number) => `/console/roster?unit=${unitId}`
const RURAL = 'qingnong'
const WEST = quotaRules.programme

const cadreRolesOf = (templates: Templates) => [...rolesMeant(templates.programme(RURAL), 'cadre')]

/** All targets, in the order of the notices. */
export const targets: readonly Target[] = [
  {
    id: 'youth-groups',
    programme: RURAL,
    name: '每个乡镇的团青群',
    word: '个',
    unitKinds: ['township-committee'],
    duty: 'youth-groups-a-township',
    note: '含所属村和直属团组织的团青群',
    behind: groupsOf,
    measure: templates => groupsInUnits(['youth'], templates.threshold(RURAL, 'youth-groups-a-township')),
  },
  {
    id: 'youth-a-cadre',
    programme: RURAL,
    name: '每名团干部联系的农村青年',
    word: '人',
    unitKinds: ['township-committee'],
    duty: 'youth-a-cadre',
    note: '按乡镇合计：登记的青年（或单位填报的群成员，取多的），应有数是团干部人数乘以每人的数',
    behind: groupsOf,
    measure: templates =>
      youthForCadres(cadreRolesOf(templates), templates.threshold(RURAL, 'youth-a-cadre')),
  },
  {
    id: 'built',
    programme: RURAL,
    name: '团青群建成比例',
    word: '个',
    unitKinds: ['county-committee'],
    duty: 'youth-groups-built-share',
    dueDuty: 'youth-groups-built-by',
    note: '对照当年的计划表；没有计划表的按每个乡镇的应建数',
    behind: groupsOf,
    measure: (templates, today) =>
      groupsAgainstPlan({
        kinds: inspectionRules.plan.youthKinds,
        fields: inspectionRules.plan.youthFields,
        year: Number(today.slice(0, 4)),
        share: templates.threshold(RURAL, 'youth-groups-built-share'),
        otherwise: {
          each: templates.threshold(RURAL, 'youth-groups-a-township'),
          ofKind: 'township-committee',
        },
      }),
  },
  {
    id: 'cadre-groups',
    programme: RURAL,
    name: '县级青农群',
    word: '个',
    unitKinds: ['county-committee'],
    duty: 'cadre-groups-a-county',
    dueDuty: 'cadre-groups-built-by',
    behind: groupsOf,
    measure: templates =>
      groupsInUnits(['county-cadres'], templates.threshold(RURAL, 'cadre-groups-a-county')),
  },
  {
    id: 'names',
    programme: RURAL,
    name: '群和公共号名称“青农XX”',
    word: '个',
    unitKinds: ['city-committee', 'county-committee'],
    duty: 'cadre-groups-a-county',
    note: '榆林团市委 2014 四.(三)后段；县级以下可灵活掌握',
    behind: groupsOf,
    measure: templates => {
      const { groupKinds, accounts } = templates.programme(RURAL)
      const account = accounts.find(each => each.use === 'run')?.naming
      return namesThatObey(
        groupKinds.flatMap(({ id, naming }) =>
          naming ? [{ kind: id, pattern: inPostgres(naming.pattern) }] : [],
        ),
        account ? inPostgres(account.pattern) : null,
      )
    },
  },
  {
    id: 'branch-size',
    programme: WEST,
    name: '团支部人数',
    word: '人',
    unitKinds: ['volunteer-branch'],
    isMost: true,
    duty: 'branch-size',
    behind: rosterOf,
    measure: templates =>
      personsInUnits(
        [...rolesMeant(templates.programme(WEST), 'volunteer')],
        templates.threshold(WEST, 'branch-size'),
      ),
  },
  {
    id: 'managers',
    programme: WEST,
    name: '负责微信群的专人',
    word: '人',
    unitKinds: ['national-office', 'province-office', 'city-office', 'county-office'],
    duty: 'matrix-managers',
    behind: unitId => `/console/units/${unitId}`,
    measure: () => namedManagers(),
  },
  {
    id: 'contact-branches',
    programme: WEST,
    name: '1+100：有联系点的同志',
    word: '人',
    unitKinds: ['national-office', 'province-office', 'city-office'],
    duty: 'contact-branches',
    behind: unitId => `/console/contacts?unit=${unitId}`,
    measure: (templates, today) => contactMeasure(templates, 'branch', today),
  },
  {
    id: 'contact-visits',
    programme: WEST,
    name: '1+100：今年走访过的同志',
    word: '人',
    unitKinds: ['national-office', 'province-office', 'city-office'],
    duty: 'contact-visits-a-year',
    behind: unitId => `/console/contacts?unit=${unitId}`,
    measure: (templates, today) => contactMeasure(templates, 'visit', today),
  },
  {
    id: 'insurance',
    programme: WEST,
    name: '志愿者保险',
    word: '人',
    unitKinds: ['county-office'],
    duty: 'insured-days-before-arrival',
    note: '名册里有保险起止日期的在岗志愿者；有保额的也看保额（三.5）',
    behind: rosterOf,
    measure: (templates, today) => {
      const { daysBefore, daysAfter, accident, hospital, medical } = thresholdsOf(templates)
      return insuredVolunteers({
        roles: [...rolesMeant(templates.programme(WEST), 'volunteer')],
        day: today,
        columns: quotaRules.columns,
        daysBefore,
        daysAfter,
        accident,
        hospital,
        medical,
      })
    },
  },
]

function contactMeasure(templates: Templates, what: 'branch' | 'visit', today: string): Measure {
  const rules = contactRulesOf(templates, WEST)
  if (!rules) throw new Error(`${WEST} has no rules of contact`)
  return contactsOfOffices(rules.scope, what, {
    count: what === 'branch' ? rules.branches : rules.visits,
    since: `${today.slice(0, 4)}-01-01`,
  })
}

/** A pattern of the templates for PostgreSQL, which knows no scripts. */
function inPostgres(pattern: string): string {
  return pattern.replaceAll('\\p{Script=Han}', '[㐀-䶿一-鿿]')
}

/** The duty that a target is read from, with its source. */
export function dutyOf(templates: Templates, target: Target): Duty {
  return templates.duty(target.programme, target.duty)
}

/** What a target asks of the units below some paths. */
export function scopeOfTarget(target: Target, paths: string[]): TargetScope {
  return { programme: target.programme, paths, unitKinds: [...target.unitKinds] }
}

export type TargetState = 'met' | 'missed' | 'unknown'

export function stateOf(
  { isMost }: Pick<Target, 'isMost'>,
  { actual, wanted }: Pick<TargetRow, 'actual' | 'wanted'>,
): TargetState {
  if (wanted === null) return 'unknown'
  return (isMost ? actual <= wanted : actual >= wanted) ? 'met' : 'missed'
}
