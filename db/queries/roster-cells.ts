import { type SQL, sql } from 'drizzle-orm'

/** A column of the file that the system has no field for, by any of its names. Of `e`, a roster entry. */
export const cellOf = (names: readonly string[]): SQL =>
  sql`coalesce(${sql.join(
    names.map(name => sql`nullif(trim(e.extra ->> ${name}), '')`),
    sql`, `,
  )})`

/** A day as people write it into a cell; null for what is none. */
export const dayIn = (text: SQL): SQL =>
  sql`(select case when pg_input_is_valid(d.plain, 'date') then d.plain::date end
    from (select substring(regexp_replace(${text}, '[./年月]', '-', 'g') from '^\\d{4}-\\d{1,2}-\\d{1,2}') as plain) d)`

/** Yuan: 80万, 800000, 80 万元; null for what is none. */
export const yuanIn = (text: SQL): SQL =>
  sql`(select case when m.part is not null then m.part[1]::numeric * case when m.part[2] = '万' then 10000 else 1 end end
    from (select regexp_match(regexp_replace(${text}, '[,，\\s]', '', 'g'), '^(\\d{1,12}(?:\\.\\d{1,4})?)(万?)元?$') as part) m)`
