import type { QuotaScope } from '../../../db/queries/quota-figures.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import policy from '../../../templates/policies/quota-check.json' with { type: 'json' }
import { shanghaiMoment } from '../../clock.ts'
import type { Quota, Templates } from '../../templates.ts'
import { rolesMeant } from '../groups/entitlement.ts'

/** `templates/policies/quota-check.json`, after 全国项目办发〔2020〕3号. */
export const quotaRules = policy

/** The two digits of the 兵团, which has no division code. */
const CORPS = { inName: '兵团', code: '66' }
/** Names of the 兵团 that begin like a province's. */
const CORPS_NAMES = ['新疆生产建设兵团', '新疆兵团', '生产建设兵团', '兵团']

/** What the documents ask of a year's volunteers beside their numbers, as the duties of the programme say it. */
export interface Thresholds {
  inProvince: number
  bachelor: number
  daysBefore: number
  daysAfter: number
  /** Yuan. */
  accident: number
  hospital: number
  medical: number
}

export function thresholdsOf(templates: Templates): Thresholds {
  const duty = (id: string) => templates.threshold(quotaRules.programme, id)
  return {
    inProvince: duty('in-province-share'),
    bachelor: duty('bachelor-share'),
    daysBefore: duty('insured-days-before-arrival'),
    daysAfter: duty('insured-days-after-leaving'),
    accident: duty('accident-and-illness-cover'),
    hospital: duty('hospital-cover'),
    medical: duty('accident-medical-cover'),
  }
}

/** The quotas of a year; null where no document at hand has them. */
export function quotaOf(templates: Templates, year: number): Quota | null {
  return (
    templates.quotas.find(quota => quota.programme === quotaRules.programme && quota.year === year) ?? null
  )
}

/** What of the roster is held against the quotas of a year. @param now what an import takes away later still counts */
export function scopeOf(templates: Templates, top: UnitRow, year: number, now: Date): QuotaScope {
  const programme = templates.programme(quotaRules.programme)
  const day = `${year}-${quotaRules.countedOn.value}`
  const countedAt = shanghaiMoment(day, '23:59')
  const category = (id: string) => programme.categories.find(each => each.id === id)?.name ?? ''
  const longerIn = templates.duty(programme.id, 'insured-longer-in').value
  const thresholds = thresholdsOf(templates)
  return {
    programme: programme.id,
    topPath: top.path,
    branchKind: quotaRules.branchKind,
    roles: [...rolesMeant(programme, 'volunteer')],
    day,
    until: countedAt < now ? countedAt : now,
    columns: quotaRules.columns,
    provinces: provinceNames(templates),
    corps: CORPS,
    degrees: quotaRules.degrees.value,
    forbiddenPosts: quotaRules.forbiddenPosts.value,
    categories: {
      local: category('local-project'),
      graduateTeaching: category('graduate-teaching'),
      extended: category('extended'),
      recruit: category('national-project'),
    },
    insurance: {
      daysBefore: thresholds.daysBefore,
      daysAfter: thresholds.daysAfter,
      longerIn: codesOf(templates, Array.isArray(longerIn) ? longerIn : []),
      longerBy: quotaRules.longerBy.value,
      accident: thresholds.accident,
      hospital: thresholds.hospital,
      medical: thresholds.medical,
    },
  }
}

/** The two digits by which quotas know a province's office. */
export function provinceCodeOf({ name, code }: Pick<UnitRow, 'name' | 'code'>): string {
  return name.includes(CORPS.inName) ? CORPS.code : code.slice(0, 2)
}

/** Provinces as people write them: 陕西省 and 陕西, 新疆维吾尔自治区 and 新疆. */
function provinceNames(templates: Templates): { names: string[]; codes: string[] } {
  const pairs = [
    ...CORPS_NAMES.map(name => [name, CORPS.code] as const),
    ...templates.regions.provinces.map(
      province => [shortNameOf(province.name), province.code.slice(0, 2)] as const,
    ),
  ]
  return { names: pairs.map(([name]) => name), codes: pairs.map(([, code]) => code) }
}

function codesOf(templates: Templates, names: readonly string[]): string[] {
  const known = provinceNames(templates)
  return known.codes.filter((_, index) => names.includes(known.names[index] as string))
}

function shortNameOf(name: string): string {
  return name.replace(/(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)$/, '')
}
