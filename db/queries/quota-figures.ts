import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { cellOf, type InsuranceColumns, insuranceCells, insuranceOf, insuranceWords } from './roster-cells.ts'

/** Which roster entries are counted, and which columns of the file say what (`templates/policies/quota-check.json`). */
export interface QuotaScope {
  programme: string
  /** The nation or a province. */
  topPath: string
  branchKind: string
  /** Roles of volunteers. */
  roles: string[]
  /** `YYYY-MM-DD`: who serves on this day. */
  day: string
  /** Entries that no import had taken away before this moment. */
  until: Date
  columns: InsuranceColumns & Record<'recruitedIn' | 'degree', string[]>
  /** Names of provinces and their two digits, the longest name first. */
  provinces: { names: string[]; codes: string[] }
  /** 兵团 in the name of a unit. */
  corps: { inName: string; code: string }
  degrees: string[]
  forbiddenPosts: string[]
  categories: { local: string; graduateTeaching: string; extended: string; recruit: string }
  insurance: {
    daysBefore: number
    daysAfter: number
    longerIn: string[]
    longerBy: number
    accident: number
    hospital: number
    medical: number
  }
}

/** The roster of a province against what the notices ask. Where `…Known` is 0 the roster does not say. */
export interface ProvinceRoster {
  unitId: number
  unitName: string
  /** The two digits of its province; 66 for the 兵团. */
  code: string
  planned: number
  graduateTeaching: number
  extended: number
  recruits: number
  /** Of the planned, those whose category is none that is known. */
  unsorted: number
  /** New recruits of whom it is known where they were recruited, and those of the province itself. */
  recruitedInKnown: number
  inProvince: number
  degreeKnown: number
  bachelor: number
  insuredDaysKnown: number
  insuredDays: number
  coverKnown: number
  cover: number
  forbiddenPosts: number
}

/** New recruits (without 研支团) of one service area from one province. */
export interface PairFigure {
  code: string
  from: string
  recruits: number
}

/** As `universityKey` of the domain has it. */
const universityKey = (name: SQL): SQL =>
  sql`regexp_replace(regexp_replace(normalize(${name}, NFKC), '\\s+', '', 'g'),
    '(西部计划)?(校项目办(公室)?|项目办(公室)?|校?团委)$', '')`

/** The first by number of the columns that a statement selects. */
const first = (count: number): SQL => sql.raw(Array.from({ length: count }, (_, at) => at + 1).join(', '))

/**
 * Volunteers of a year, each once in a province, with what is known of them: those of whom the same is known in one row
 * (`n` of them), so that each day and each sum of money is read once and not for everybody.
 * @param cells more of the file that is wanted
 */
const served = (scope: QuotaScope, cells: SQL[] = []): SQL => sql`
  provinces as (
    select id, name, path, case when position(${scope.corps.inName} in name) > 0 then ${scope.corps.code} else left(code, 2) end as code
    from units
    where programme = ${scope.programme} and level = 'province' and starts_with(path, ${scope.topPath})
  ), branches as materialized (
    select u.id, p.id as province_id, p.code
    from units u
    cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')::bigint[]) as above (id)
    join provinces p on p.id = above.id
    where u.programme = ${scope.programme} and u.kind = ${scope.branchKind} and starts_with(u.path, ${scope.topPath})
  ), newest as (
    select b.province_id, b.code, max(e.id) as id from branches b join roster_entries e on e.unit_id = b.id
    left join roster_imports gone on gone.id = e.gone_import_id
    where e.role = any(${sql.param(scope.roles)}::text[]) and e.status <> '离岗'
      and coalesce(e.category, '') <> ${scope.categories.local}
      and coalesce(e.starts_on, '-infinity') <= ${scope.day}::date and coalesce(e.ends_on, 'infinity') >= ${scope.day}::date
      and e.gone_import_id is distinct from e.import_id
      and (gone.id is null or gone.applied_at > ${scope.until.toISOString()}::timestamptz)
    group by b.province_id, b.code, e.person_id
  ), standing as (
    select n.province_id, n.code, e.category, e.starts_on, e.ends_on, e.extra,
      coalesce(e.post, '') || ' ' || coalesce(e.title, '') as post, e.university
    from newest n join roster_entries e on e.id = n.id
  ), universities as (
    select distinct on (key) ${universityKey(sql`u.name`)} as key,
      case when position(${scope.corps.inName} in above.name) > 0 then ${scope.corps.code} else left(above.code, 2) end as code
    from units u join units above on above.id = u.parent_id
    where u.programme = ${scope.programme} and u.level = 'university' and above.level = 'province'
    order by key, u.id
  ), celled as materialized (
    select ${sql.join(
      [
        sql`e.province_id, e.code, e.category, e.starts_on, e.ends_on, e.university`,
        sql`e.category is not distinct from ${scope.categories.recruit} as is_recruit`,
        sql`${cellOf(scope.columns.recruitedIn)} as recruited_text`,
        sql`${cellOf(scope.columns.degree)} as degree`,
        sql`exists (select from unnest(${sql.param(scope.forbiddenPosts)}::text[]) as f (word)
          where position(f.word in e.post) > 0) as is_forbidden`,
        ...cells,
      ],
      sql`, `,
    )}, count(*)::int as n
    from standing e group by ${first(10 + cells.length)}
  ), places as (
    select w.recruited_text, (
      select n.code from unnest(${sql.param(scope.provinces.names)}::text[], ${sql.param(scope.provinces.codes)}::text[]) as n (name, code)
      where starts_with(w.recruited_text, n.name) order by length(n.name) desc limit 1) as code
    from (select distinct recruited_text from celled where recruited_text is not null) w
  ), sent as (
    select w.university, home.code from (select distinct university from celled where university is not null) w
    join universities home on home.key = ${universityKey(sql`w.university`)}
  ), told as (
    select e.*, coalesce(place.code, sent.code) as recruited_in
    from celled e left join places place on place.recruited_text = e.recruited_text
    left join sent on sent.university = e.university
  )`

/** The roster of each province of a year. */
export async function rosterOfProvinces(db: Db, scope: QuotaScope): Promise<ProvinceRoster[]> {
  const { columns, insurance, categories } = scope
  const longer = sql`case when exists (select from provinces p
    where p.id = e.province_id and p.code = any(${sql.param(insurance.longerIn)}::text[])) then ${insurance.longerBy}::int else 0 end`
  const rows = await db.execute<Record<string, string | number>>(sql`
    with ${served(scope, insuranceCells(columns))}, ${insuranceWords('celled')}, checked as materialized (
      select e.*, ${longer} as longer_by, ${insuranceOf.columns}
      from told e ${insuranceOf.joins}
    )
    select p.id, p.name, p.code, coalesce(sum(c.n), 0)::int as planned,
      coalesce(sum(c.n) filter (where c.category = ${categories.graduateTeaching}), 0)::int as graduate_teaching,
      coalesce(sum(c.n) filter (where c.category = ${categories.extended}), 0)::int as extended,
      coalesce(sum(c.n) filter (where c.is_recruit), 0)::int as recruits,
      coalesce(sum(c.n) filter (where c.province_id is not null and coalesce(c.category, '') not in
        (${categories.graduateTeaching}, ${categories.extended}, ${categories.recruit})), 0)::int as unsorted,
      coalesce(sum(c.n) filter (where c.is_recruit and c.recruited_in is not null), 0)::int as recruited_in_known,
      coalesce(sum(c.n) filter (where c.is_recruit and c.recruited_in = c.code), 0)::int as in_province,
      coalesce(sum(c.n) filter (where c.is_recruit and c.degree is not null), 0)::int as degree_known,
      coalesce(sum(c.n) filter (where c.is_recruit and exists (select from unnest(${sql.param(scope.degrees)}::text[]) as d (word)
        where position(d.word in c.degree) > 0)), 0)::int as bachelor,
      coalesce(sum(c.n) filter (where c.insured_from is not null and c.insured_to is not null), 0)::int as days_known,
      coalesce(sum(c.n) filter (where c.insured_from <= c.arrived_on - ${insurance.daysBefore}::int - c.longer_by
        and c.insured_to >= c.ends_on + ${insurance.daysAfter}::int + c.longer_by), 0)::int as days_enough,
      coalesce(sum(c.n) filter (where num_nonnulls(c.accident, c.illness, c.hospital, c.medical) > 0), 0)::int as cover_known,
      coalesce(sum(c.n) filter (where c.accident >= ${insurance.accident} and c.illness >= ${insurance.accident}
        and c.hospital >= ${insurance.hospital} and c.medical >= ${insurance.medical}), 0)::int as cover_enough,
      coalesce(sum(c.n) filter (where c.is_forbidden), 0)::int as forbidden_posts
    from provinces p left join checked c on c.province_id = p.id
    group by p.id, p.name, p.code order by min(p.path), p.id`)
  return [...rows].map(row => ({
    unitId: Number(row.id),
    unitName: String(row.name),
    code: String(row.code),
    planned: Number(row.planned),
    graduateTeaching: Number(row.graduate_teaching),
    extended: Number(row.extended),
    recruits: Number(row.recruits),
    unsorted: Number(row.unsorted),
    recruitedInKnown: Number(row.recruited_in_known),
    inProvince: Number(row.in_province),
    degreeKnown: Number(row.degree_known),
    bachelor: Number(row.bachelor),
    insuredDaysKnown: Number(row.days_known),
    insuredDays: Number(row.days_enough),
    coverKnown: Number(row.cover_known),
    cover: Number(row.cover_enough),
    forbiddenPosts: Number(row.forbidden_posts),
  }))
}

/** Where the new recruits of each service area were recruited, as far as the roster says. */
export async function recruitsByPair(db: Db, scope: QuotaScope): Promise<PairFigure[]> {
  const rows = await db.execute<{ code: string; recruited_in: string; recruits: number }>(sql`
    with ${served(scope)}
    select code, recruited_in, sum(n)::int as recruits from told
    where is_recruit and recruited_in is not null group by code, recruited_in`)
  return [...rows].map(row => ({ code: row.code, from: row.recruited_in, recruits: row.recruits }))
}
