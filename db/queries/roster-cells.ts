import { type SQL, sql } from 'drizzle-orm'

/** A column of the file that the system has no field for, by any of its names. Of `e`, a roster entry. */
export const cellOf = (names: readonly string[]): SQL =>
  sql`coalesce(${sql.join(
    names.map(name => sql`nullif(trim(e.extra ->> ${name}), '')`),
    sql`, `,
  )})`

/** A day as people write it into a cell; null for what is none. */
const dayIn = (text: SQL): SQL =>
  sql`(select case when pg_input_is_valid(d.plain, 'date') then d.plain::date end
    from (select substring(regexp_replace(${text}, '[./年月]', '-', 'g') from '^\\d{4}-\\d{1,2}-\\d{1,2}') as plain) d)`

/** Yuan: 80万, 800000, 80 万元; null for what is none. */
const yuanIn = (text: SQL): SQL =>
  sql`(select case when m.part is not null then m.part[1]::numeric * case when m.part[2] = '万' then 10000 else 1 end end
    from (select regexp_match(regexp_replace(${text}, '[,，\\s]', '', 'g'), '^(\\d{1,12}(?:\\.\\d{1,4})?)(万?)元?$') as part) m)`

/** The columns of the file that say how a volunteer is insured (`templates/policies/quota-check.json`). */
export type InsuranceColumns = Record<
  | 'arrivedOn'
  | 'insuredFrom'
  | 'insuredTo'
  | 'accidentCover'
  | 'illnessCover'
  | 'hospitalCover'
  | 'medicalCover',
  string[]
>

/** The same as they stand in the file, of `e`; `insuranceWords` and `insuranceOf` read them. */
export const insuranceCells = (columns: InsuranceColumns): SQL[] => [
  sql`${cellOf(columns.arrivedOn)} as arrived_text`,
  sql`${cellOf(columns.insuredFrom)} as insured_from_text`,
  sql`${cellOf(columns.insuredTo)} as insured_to_text`,
  sql`${cellOf(columns.accidentCover)} as accident_text`,
  sql`${cellOf(columns.illnessCover)} as illness_text`,
  sql`${cellOf(columns.hospitalCover)} as hospital_text`,
  sql`${cellOf(columns.medicalCover)} as medical_text`,
]

/**
 * Common table expressions that read each day and each sum of `from` (rows with `insuranceCells`) once, however many people
 * have it: a nation's roster has a few hundred of them (measured: 40,500 rows, 20 times as fast as one by one).
 */
export const insuranceWords = (from: string): SQL => sql`
  days_told as materialized (
    select w.text, ${dayIn(sql`w.text`)} as day from (
      select distinct v.text from ${sql.raw(from)} f
      cross join lateral (values (f.arrived_text), (f.insured_from_text), (f.insured_to_text)) v (text) where v.text is not null
    ) w
  ), sums_told as materialized (
    select w.text, ${yuanIn(sql`w.text`)} as yuan from (
      select distinct v.text from ${sql.raw(from)} f
      cross join lateral (values (f.accident_text), (f.illness_text), (f.hospital_text), (f.medical_text)) v (text)
      where v.text is not null
    ) w
  )`

/** What was read of a row of `e`, and the joins that bring it. */
export const insuranceOf = {
  columns: sql`coalesce(arrived.day, e.starts_on) as arrived_on, insured_from.day as insured_from,
    insured_to.day as insured_to, accident.yuan as accident, illness.yuan as illness, hospital.yuan as hospital,
    medical.yuan as medical`,
  joins: sql`left join days_told arrived on arrived.text = e.arrived_text
    left join days_told insured_from on insured_from.text = e.insured_from_text
    left join days_told insured_to on insured_to.text = e.insured_to_text
    left join sums_told accident on accident.text = e.accident_text
    left join sums_told illness on illness.text = e.illness_text
    left join sums_told hospital on hospital.text = e.hospital_text
    left join sums_told medical on medical.text = e.medical_text`,
}
