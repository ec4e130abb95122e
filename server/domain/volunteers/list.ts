import { appendAudit } from '../../../db/queries/platform.ts'
import { type ListedVolunteer, volunteersOfUniversity } from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import { ERASED_NAME } from '../privacy/erase.ts'
import type { StreamedSheet } from '../reports/stream-workbook.ts'
import type { VolunteerOffice } from './offices.ts'
import { ownRows, volunteerRoles, volunteerRules } from './rules.ts'
import { type Stage, stageWords, type Way, wayOf } from './way.ts'

export interface VolunteerFilter {
  year?: number | undefined
  collegeId?: number | undefined
  stage?: Stage | undefined
  name?: string | undefined
}

export type Volunteer = ListedVolunteer & { way: Way }

/** The volunteers of an office with their ways, filtered. Whoever had their data deleted is counted only. */
export async function listVolunteers(
  rt: DomainRuntime,
  { university, college }: VolunteerOffice,
  filter: VolunteerFilter = {},
): Promise<Volunteer[]> {
  const collegeId = college?.id ?? filter.collegeId
  const name = filter.name ? nameKey(filter.name) : ''
  const rows = await volunteersOfUniversity(
    rt.db,
    { programme: volunteerRules.programme, roles: volunteerRoles(rt.templates) },
    {
      unitId: university.id,
      ...(collegeId === undefined ? {} : { collegeId }),
      ...(filter.year === undefined ? {} : { year: filter.year }),
      ...(name === '' ? {} : { nameKey: name }),
    },
  )
  return withWays(rt, university.name, rows).filter(
    each => filter.stage === undefined || each.way.stage === filter.stage,
  )
}

/** One volunteer; null: there is none of that number. */
export async function volunteerOf(
  rt: DomainRuntime,
  file: { id: number; unitId: number; unitName: string },
): Promise<Volunteer | null> {
  const rows = await volunteersOfUniversity(
    rt.db,
    { programme: volunteerRules.programme, roles: volunteerRoles(rt.templates) },
    { unitId: file.unitId, fileId: file.id },
  )
  return withWays(rt, file.unitName, rows)[0] ?? null
}

function withWays(rt: DomainRuntime, unitName: string, rows: ListedVolunteer[]): Volunteer[] {
  const today = dayOf(rt.clock.now())
  return rows.map(row => ({
    ...row,
    way: wayOf(row.steps, ownRows(row.terms, unitName), today, volunteerRules.extendedCategory),
  }))
}

/** Whether a name was taken: such a file is only a number. */
export function isNamed({ name }: Pick<Volunteer, 'name'>): boolean {
  return name !== ERASED_NAME
}

export interface VolunteerFigures {
  stages: ReadonlyMap<Stage, number>
  /** The latest first; null: not said. */
  years: (number | null)[]
  colleges: { id: number | null; name: string; counts: number[]; all: number }[]
}

/** Counts by stage, and by college and year. Years are those of graduation. */
export function figuresOf(volunteers: readonly Volunteer[]): VolunteerFigures {
  const stages = new Map<Stage, number>()
  for (const { way } of volunteers) stages.set(way.stage, (stages.get(way.stage) ?? 0) + 1)
  const years = [...new Set(volunteers.map(each => each.year))].sort((a, b) => (b ?? 0) - (a ?? 0))
  const byCollege = Map.groupBy(volunteers, each => each.collegeId)
  const colleges = [...byCollege].map(([id, own]) => ({
    id,
    name: own[0]?.college ?? '院系没有填',
    counts: years.map(year => own.filter(each => each.year === year).length),
    all: own.length,
  }))
  return {
    stages,
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
  const all = await listVolunteers(rt, office, filter)
  const named = all.filter(isNamed)
  const unit = office.college ?? office.university
  const { years, colleges } = figuresOf(all)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'volunteer.exported',
    subjectKind: 'unit',
    subjectId: unit.id,
    details: { count: named.length },
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
        rows: [
          named.map(({ name, college, year, way, mentor, lastTouch }) => [
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
          ]),
        ],
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

export function yearWords(year: number | null): string {
  return year === null ? '没有填' : `${year} 年`
}
