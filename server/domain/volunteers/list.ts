import { appendAudit } from '../../../db/queries/platform.ts'
import {
  countVolunteers,
  type ListedVolunteer,
  mentoredBy,
  universitiesOnFile,
  type VolunteerCount,
  type VolunteersAsked,
  volunteersByFile,
  volunteersByYear,
} from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import type { StreamedSheet } from '../reports/stream-workbook.ts'
import type { VolunteerOffice } from './offices.ts'
import { ownRows, ownWritings, volunteerRoles, volunteerRules, wayRule } from './rules.ts'
import { type Stage, stageWords, type Way, WRITTEN_STEPS, wayOf } from './way.ts'

/** Files that are read at once for a workbook. */
const PORTION = 500
/** Nobody looks after more. */
const MOST_MENTORED = 200

export interface VolunteerFilter {
  year?: number | undefined
  collegeId?: number | undefined
  stage?: Stage | undefined
  name?: string | undefined
}

export type Volunteer = ListedVolunteer & { way: Way }

export interface VolunteerList {
  /** Of those that the filter leaves, whatever their stage. */
  counts: VolunteerCount[]
  /** The page that is asked for. */
  shown: Volunteer[]
  /** How many the whole filter leaves. Whoever had their data deleted is counted above only. */
  length: number
}

/** A page of the volunteers of an office with their ways, the latest year first. */
export async function listVolunteers(
  rt: DomainRuntime,
  office: VolunteerOffice,
  filter: VolunteerFilter,
  { from, limit }: { from: number; limit: number },
): Promise<VolunteerList> {
  const { counts, fileIds } = await find(rt, office, filter, { from, limit })
  return {
    counts,
    shown: await volunteersOf(rt, office.university.name, fileIds),
    length: lengthOf(counts, filter.stage),
  }
}

/** One volunteer; null: there is none of that number. */
export async function volunteerOf(
  rt: DomainRuntime,
  file: { id: number; unitName: string },
): Promise<Volunteer | null> {
  return (await volunteersOf(rt, file.unitName, [file.id]))[0] ?? null
}

/** Whom a mentor looks after: those in service first, and of them those with whom nobody has been in touch for longest. */
export async function volunteersOfMentor(rt: DomainRuntime, mentorId: number): Promise<Volunteer[]> {
  const files = await mentoredBy(rt.db, mentorId, MOST_MENTORED)
  const found: Volunteer[] = []
  for (const [unitName, own] of Map.groupBy(files, file => file.unitName))
    found.push(
      ...(await volunteersOf(
        rt,
        unitName,
        own.map(file => file.id),
      )),
    )
  return found.sort(
    (a, b) =>
      Number(b.way.isServing) - Number(a.way.isServing) ||
      (a.lastTouch ?? '').localeCompare(b.lastTouch ?? '') ||
      a.fileId - b.fileId,
  )
}

async function find(
  rt: DomainRuntime,
  office: VolunteerOffice,
  filter: VolunteerFilter,
  list: { from: number; limit: number | null },
): Promise<{ counts: VolunteerCount[]; fileIds: number[] }> {
  const unitId = office.university.id
  const scope = { programme: volunteerRules.programme, roles: volunteerRoles(rt.templates) }
  const written = await universitiesOnFile(rt.db, scope, { unitId })
  return countVolunteers(
    rt.db,
    {
      ...scope,
      ...wayRule(dayOf(rt.clock.now())),
      universities: ownWritings(written, office.university.name),
      steps: WRITTEN_STEPS,
    },
    askedOf(office, filter),
    { ...list, stage: filter.stage },
  )
}

function askedOf({ university, college }: VolunteerOffice, filter: VolunteerFilter): VolunteersAsked {
  return {
    unitId: university.id,
    collegeId: college?.id ?? filter.collegeId,
    year: filter.year,
    nameKey: (filter.name && nameKey(filter.name)) || undefined,
  }
}

async function volunteersOf(rt: DomainRuntime, unitName: string, fileIds: number[]): Promise<Volunteer[]> {
  const scope = { programme: volunteerRules.programme, roles: volunteerRoles(rt.templates) }
  const rule = wayRule(dayOf(rt.clock.now()))
  return (await volunteersByFile(rt.db, scope, fileIds)).map(row => ({
    ...row,
    way: wayOf(row.steps, ownRows(row.terms, unitName), rule),
  }))
}

function lengthOf(counts: readonly VolunteerCount[], stage: Stage | undefined): number {
  return counts
    .filter(each => stage === undefined || each.stage === stage)
    .reduce((sum, each) => sum + each.named, 0)
}

/** Counts by stage. */
export function stagesOf(counts: readonly VolunteerCount[]): ReadonlyMap<string, number> {
  const stages = new Map<string, number>()
  for (const { stage, count } of counts) stages.set(stage, (stages.get(stage) ?? 0) + count)
  return stages
}

export interface VolunteerFigures {
  /** The latest first; null: not said. */
  years: (number | null)[]
  colleges: { id: number | null; name: string; counts: number[]; all: number }[]
}

/** The figures of an office by college and year, whatever is looked for. */
export async function figuresOfOffice(rt: DomainRuntime, office: VolunteerOffice): Promise<VolunteerFigures> {
  return figuresOf(await volunteersByYear(rt.db, askedOf(office, {})))
}

/** Counts by college and year. Years are those of graduation. */
function figuresOf(rows: readonly Omit<VolunteerCount, 'stage' | 'named'>[]): VolunteerFigures {
  const years = [...new Set(rows.map(each => each.year))].sort((a, b) => (b ?? 0) - (a ?? 0))
  const sum = (of: readonly { count: number }[]) => of.reduce((all, each) => all + each.count, 0)
  const colleges = [...Map.groupBy(rows, each => each.collegeId)].map(([id, own]) => ({
    id,
    name: own[0]?.college ?? '院系没有填',
    counts: years.map(year => sum(own.filter(each => each.year === year))),
    all: sum(own),
  }))
  return {
    years,
    colleges: colleges.sort((a, b) => Number(a.id === null) - Number(b.id === null) || b.all - a.all),
  }
}

/** The list as a workbook, with a log of it. Without phones and ID numbers: these stay on the roster. */
export async function exportVolunteers(
  rt: DomainRuntime,
  actor: KnownActor,
  office: VolunteerOffice,
  filter: VolunteerFilter,
): Promise<{ name: string; sheets: StreamedSheet[] }> {
  const { counts, fileIds } = await find(rt, office, filter, { from: 0, limit: null })
  const unit = office.college ?? office.university
  const inStage = counts.filter(each => filter.stage === undefined || each.stage === filter.stage)
  const { years, colleges } = figuresOf(inStage)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'volunteer.exported',
    subjectKind: 'unit',
    subjectId: unit.id,
    details: { count: fileIds.length },
  })
  return {
    name: `${unit.name}志愿者数据库${dayOf(rt.clock.now())}.xlsx`,
    sheets: [
      {
        name: '志愿者',
        heads: [
          '姓名',
          '院系',
          '毕业年份',
          '阶段',
          '服务县区',
          '团支部',
          '服务单位',
          '服务开始',
          '服务结束',
          '导师',
          '最近联系',
        ],
        widths: [12, 20, 10, 10, 16, 24, 24, 12, 12, 12, 12],
        rows: inPortions(rt, office.university.name, fileIds),
      },
      {
        name: '按院系和年份',
        heads: ['院系', ...years.map(yearWords), '合计'],
        widths: [24, ...years.map(() => 10), 10],
        rows: [colleges.map(each => [each.name, ...each.counts, each.all])],
      },
    ],
  }
}

/** Portion after portion, while the workbook is being read. */
async function* inPortions(
  rt: DomainRuntime,
  unitName: string,
  fileIds: number[],
): AsyncGenerator<(string | number | null)[][]> {
  for (let from = 0; from < fileIds.length; from += PORTION) {
    const portion = await volunteersOf(rt, unitName, fileIds.slice(from, from + PORTION))
    yield portion.map(({ name, college, year, way, mentor, lastTouch }) => [
      name,
      college ?? '',
      year,
      stageWords[way.stage],
      way.last?.county ?? '',
      way.last?.branch ?? '',
      way.last?.post ?? '',
      way.last?.startsOn ?? '',
      way.last?.endsOn ?? '',
      mentor ?? '',
      lastTouch ?? '',
    ])
  }
}

export function yearWords(year: number | null): string {
  return year === null ? '没有填' : `${year} 年`
}
