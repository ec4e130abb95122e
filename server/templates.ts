/** Loads and validates everything in templates/ at start, and answers questions about it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { checkForm, type FormLayout, formSchema } from './templates/form.ts'
import type { FormDue } from './templates/form-basics.ts'
import {
  checkFreeForm,
  completeForm,
  type FreeFormLayout,
  freeFormSchema,
  sharedFormSchema,
} from './templates/free-form.ts'
import {
  checkProgramme,
  type Duty,
  type GroupKind,
  type Level,
  type Programme,
  programmeSchema,
  type Role,
  type UnitKind,
} from './templates/programme.ts'
import { checkQuota, checkQuotaWith, type Quota, quotaSchema } from './templates/quota.ts'
import {
  type CityRegion,
  checkCityRegion,
  checkProvinces,
  cityRegionSchema,
  type Province,
  provincesSchema,
  type Township,
} from './templates/regions.ts'
import { checkRosterColumns, type RosterVocabulary, rosterColumnsSchema } from './templates/roster-columns.ts'
import { checkSchedule, checkScheduleWith, type Schedule, scheduleSchema } from './templates/schedule.ts'

export type { FormLayout } from './templates/form.ts'
export type { FormDue } from './templates/form-basics.ts'
export type { FreeFormLayout } from './templates/free-form.ts'
export type {
  Duty,
  GroupKind,
  Level,
  MemberRule,
  NoticeDefaults,
  Programme,
  ProgrammeAccount,
  Role,
  UnitKind,
} from './templates/programme.ts'
export type { Quota } from './templates/quota.ts'
export type { CityRegion, County, Province, Township } from './templates/regions.ts'
export type { RosterColumn, RosterStatus, RosterVocabulary } from './templates/roster-columns.ts'
export type { Schedule, ScheduleStep } from './templates/schedule.ts'

export interface Regions {
  /** All provinces with their cities and counties. */
  provinces: readonly Province[]
  /** The cities that are shipped with their townships. */
  cities: readonly CityRegion[]
  /** The townships of a county (six digits), in the order of their codes; empty where none are shipped. */
  townshipsOf(countyCode: string): readonly Township[]
}

/** What the two kinds of layout have in common. */
export interface FormBasics {
  id: string
  programme: string
  title: string
  source: string
  layoutVersion: number
  due?: FormDue | undefined
}

/** Typed lookups over templates/. Every lookup throws an `Error` that names the unknown id. */
export interface Templates {
  programmes: readonly Programme[]
  forms: readonly FormLayout[]
  /** Dated work of the programmes, a year's at a time. */
  schedules: readonly Schedule[]
  /** What programmes mean to send in a year; a year that no document at hand names is not there. */
  quotas: readonly Quota[]
  regions: Regions
  roster: RosterVocabulary
  programme(id: string): Programme
  level(programmeId: string, id: string): Level
  unitKind(programmeId: string, id: string): UnitKind
  role(programmeId: string, id: string): Role
  groupKind(programmeId: string, id: string): GroupKind
  duty(programmeId: string, id: string): Duty
  /** The value of a duty that is a number; throws when it is a date or a list of words. */
  threshold(programmeId: string, id: string): number
  /** The layout of a form that is one table of figures. */
  form(id: string): FormLayout
  /** The layout of a form of another kind. */
  freeForm(id: string): FreeFormLayout
  /** What is known of a form of either kind. */
  formBasics(id: string): FormBasics
  schedule(id: string): Schedule
}

/** What is wrong with the files in templates/, all of it, one line a problem: `file: path: reason`. */
export class TemplatesError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`templates/ has ${problems.length} problem(s):\n${problems.map(each => `- ${each}`).join('\n')}`)
    this.name = 'TemplatesError'
    this.problems = problems
  }
}

export const TEMPLATES_FOLDER = join(import.meta.dirname, '../templates')

/**
 * Reads all templates once; the result is not meant to be changed.
 *
 * @throws TemplatesError with every problem of every file.
 */
export function loadTemplates(folder = TEMPLATES_FOLDER): Templates {
  const problems: string[] = []

  function load<T>(
    file: string,
    schema: z.ZodType<T>,
    check: (value: T) => string[],
    idInPath?: string,
  ): T[] {
    const report = (reasons: string[]) => problems.push(...reasons.map(reason => `${file}: ${reason}`))
    let content: unknown
    try {
      content = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    } catch (error) {
      report([error instanceof Error ? error.message : String(error)])
      return []
    }
    const parsed = schema.safeParse(content)
    if (!parsed.success) {
      report(parsed.error.issues.map(issue => `${issue.path.join('.') || 'file'}: ${issue.message}`))
      return []
    }
    report(check(parsed.data))
    const { id } = parsed.data as { id?: string }
    if (idInPath && id !== idInPath) report([`id: is ${id}, but the file is ${idInPath}'s`])
    return [parsed.data]
  }

  const programmeNames = filesIn(folder, 'programmes')
  const programmes = programmeNames.flatMap(name =>
    load(`programmes/${name}.json`, programmeSchema, checkProgramme, name),
  )
  const formNames = foldersIn(folder, 'forms')
  const shared = load('forms/shared.json', sharedFormSchema, () => [])[0]
  const isFree = (name: string) => kindOf(join(folder, `forms/${name}/form.json`)) === 'free'
  const forms = formNames
    .filter(name => !isFree(name))
    .flatMap(name => load(`forms/${name}/form.json`, formSchema, checkForm, name))
  const freeForms = formNames
    .filter(isFree)
    .flatMap(name => load(`forms/${name}/form.json`, freeFormSchema, checkFreeForm, name))
    .flatMap(form => (shared ? [completeForm(form, shared)] : []))
  const scheduleNames = filesIn(folder, 'schedules')
  const schedules = scheduleNames.flatMap(name =>
    load(`schedules/${name}.json`, scheduleSchema, checkSchedule, name),
  )
  const quotas = filesIn(folder, 'quotas').flatMap(name =>
    load(`quotas/${name}.json`, quotaSchema, checkQuota, name),
  )
  const provinces = load('regions/provinces.json', provincesSchema, checkProvinces)
  const cities = filesIn(folder, 'regions')
    .filter(name => name !== 'provinces' && name !== 'short-names')
    .flatMap(name => load(`regions/${name}.json`, cityRegionSchema, checkCityRegion))
  const roster = load('roster/columns.json', rosterColumnsSchema, checkRosterColumns)

  if (programmes.length === 0) problems.push('programmes/: no programme could be read')
  // a file that could not be read would be blamed on those that refer to it
  const areAllThere =
    programmes.length === programmeNames.length && forms.length + freeForms.length === formNames.length
  if (areAllThere) problems.push(...checkTogether(programmes, forms, freeForms))
  if (programmes.length === programmeNames.length)
    problems.push(...checkSchedules(programmes, schedules), ...checkQuotas(programmes, quotas))
  const [vocabulary] = roster
  if (problems.length > 0 || !vocabulary) throw new TemplatesError(problems)
  return lookups(
    programmes,
    { forms, freeForms },
    { schedules, quotas },
    regions(provinces[0]?.provinces ?? [], cities),
    vocabulary,
  )
}

/** Checks what one file says about another: forms name their programme, occupations and categories a form's figures. */
function checkTogether(programmes: Programme[], forms: FormLayout[], freeForms: FreeFormLayout[]): string[] {
  const unknown = [...forms, ...freeForms].filter(
    form => !programmes.some(programme => programme.id === form.programme),
  )
  const figures = new Set(forms.flatMap(form => form.columns.map(column => column.figure)))
  const used = programmes.flatMap(programme => [
    ...(programme.residences ?? []).flatMap(residence => residence.occupations),
    ...(programme.messageCategories ?? []),
    ...(programme.activityCategories ?? []),
  ])
  return [
    ...unknown.map(form => `forms/${form.id}/form.json: unknown programme ${form.programme}`),
    ...used
      .filter(({ figure }) => !figures.has(figure))
      .map(({ name, figure }) => `programmes: ${name} counts as ${figure}, which no form has`),
  ]
}

function checkSchedules(programmes: Programme[], schedules: Schedule[]): string[] {
  return schedules.flatMap(schedule => {
    const programme = programmes.find(each => each.id === schedule.programme)
    const reasons = programme
      ? checkScheduleWith(schedule, programme)
      : [`unknown programme ${schedule.programme}`]
    return reasons.map(reason => `schedules/${schedule.id}.json: ${reason}`)
  })
}

function checkQuotas(programmes: Programme[], quotas: Quota[]): string[] {
  return quotas.flatMap(quota => {
    const programme = programmes.find(each => each.id === quota.programme)
    const reasons = programme ? checkQuotaWith(quota, programme) : [`unknown programme ${quota.programme}`]
    return reasons.map(reason => `quotas/${quota.id}.json: ${reason}`)
  })
}

function lookups(
  programmes: Programme[],
  { forms, freeForms }: { forms: FormLayout[]; freeForms: FreeFormLayout[] },
  { schedules, quotas }: { schedules: Schedule[]; quotas: Quota[] },
  allRegions: Regions,
  roster: RosterVocabulary,
): Templates {
  const programme = finder('programme', programmes)
  const within = <T extends { id: string }>(what: string, list: (of: Programme) => readonly T[]) => {
    const finders = new Map(programmes.map(each => [each.id, finder(`${what} of ${each.id}`, list(each))]))
    return (programmeId: string, id: string): T => (finders.get(programmeId) ?? finder(what, []))(id)
  }
  const duty = within('duty', each => each.duties)
  return {
    programmes,
    forms,
    schedules,
    quotas,
    regions: allRegions,
    roster,
    programme,
    level: within('level', each => each.levels),
    unitKind: within('unit kind', each => each.unitKinds),
    role: within('role', each => each.roles),
    groupKind: within('group kind', each => each.groupKinds),
    duty,
    threshold(programmeId, id) {
      const { value } = duty(programmeId, id)
      if (typeof value !== 'number') throw new Error(`duty ${id} of ${programmeId} is not a number`)
      return value
    },
    form: finder('form', forms),
    freeForm: finder('free form', freeForms),
    formBasics: finder<FormBasics>('form', [...forms, ...freeForms]),
    schedule: finder('schedule', schedules),
  }
}

function finder<T extends { id: string }>(what: string, list: readonly T[]): (id: string) => T {
  const byId = new Map(list.map(each => [each.id, each]))
  return id => {
    const found = byId.get(id)
    if (!found) throw new Error(`unknown ${what}: ${id}`)
    return found
  }
}

function regions(provinces: readonly Province[], cities: readonly CityRegion[]): Regions {
  const townships = new Map(
    cities.flatMap(city => city.counties.map(county => [county.code, county.townships])),
  )
  return { provinces, cities, townshipsOf: code => townships.get(code) ?? [] }
}

/** Which schema a form's file is to be read by; a file that cannot be read is named by whoever reads it as a whole. */
function kindOf(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { kind?: unknown }).kind
  } catch {
    return undefined
  }
}

function filesIn(folder: string, name: string): string[] {
  return entries(join(folder, name))
    .filter(entry => entry.isFile() && entry.name.endsWith('.json'))
    .map(entry => entry.name.slice(0, -'.json'.length))
    .sort()
}

function foldersIn(folder: string, name: string): string[] {
  return entries(join(folder, name))
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

function entries(path: string) {
  return existsSync(path) ? readdirSync(path, { withFileTypes: true }) : []
}
