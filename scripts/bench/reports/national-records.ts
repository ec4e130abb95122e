import type { Db } from '../../../db/client.ts'
import { loadInBulk } from '../../../db/queries/bulk-load.ts'
import { addMonths } from '../../../server/clock.ts'

/** The programme of the tracking sheet; its own matrix ends at a city, here it reaches as far as the nation's. */
export const RURAL = 'qingnong'
const MONTHS = 24

/** Every name is a number; the database writes all of it itself. */
export interface NationalRecords {
  /** The newest month, which has the most. */
  month: string
  records: number
}

/**
 * Gives the rural programme and 西部计划 a tree as large as the nation's, the rural one its groups, and in them so many
 * message records over two years, more in each month than in the one before; with activities, words of the townships and
 * people who registered.
 * @param tree the programme that has the tree and the groups already
 */
export async function nationalRecords(
  db: Db,
  tree: string,
  records: number,
  newest: string,
): Promise<NationalRecords> {
  await copyTree(db, tree, RURAL, {
    national: ['national', 'city-committee'],
    province: ['province', 'city-committee'],
    city: ['city', 'city-committee'],
    county: ['county', 'county-committee'],
    school: ['township', 'township-committee'],
  })
  await copyTree(db, tree, 'xibu', {
    national: ['national', 'national-office'],
    province: ['province', 'province-office'],
    city: ['city', 'city-office'],
    county: ['county', 'county-office'],
  })
  await db.execute(`
    insert into groups (programme, kind, unit_id, name, platform, owner_id, capacity, size, created_at)
    select '${RURAL}', 'youth', q.id, g.name, 'wechat', g.owner_id, 500, 40, g.created_at - interval '2 years'
    from groups g join units s on s.id = g.unit_id and s.programme = '${tree}'
    join units q on q.programme = '${RURAL}' and q.code = s.code order by g.id`)
  await db.execute(`
    insert into groups (programme, kind, unit_id, name, platform, capacity, size, created_at)
    select 'xibu', 'research-liaison', id, '群' || id, 'wechat', 500, 20, created_at from units
    where programme = 'xibu' and level = 'county'`)
  await db.transaction(tx =>
    loadInBulk(tx, ['message_records'], records, () => writeRecords(tx, records, newest)),
  )
  await writeRest(db, newest)
  for (const table of [
    'units',
    'groups',
    'message_records',
    'record_counts',
    'subtree_record_counts',
    'activities',
    'unit_facts',
    'registrations',
  ])
    await db.execute(`vacuum analyze ${table}`)
  return { month: newest, records }
}

async function copyTree(
  db: Db,
  from: string,
  to: string,
  levels: Record<string, [level: string, kind: string]>,
): Promise<void> {
  const values = Object.entries(levels).map(([level, [own, kind]]) => `('${level}', '${own}', '${kind}')`)
  await db.execute(`
    insert into units (programme, code, name, kind, level, path, created_at)
    select '${to}', u.code, u.name, m.kind, m.own, '', u.created_at - interval '3 years'
    from units u join (values ${values.join(', ')}) as m (level, own, kind) on m.level = u.level
    where u.programme = '${from}' order by u.id`)
  await db.execute(`
    update units u set parent_id = p.id
    from units s join units above on above.id = s.parent_id
    join units p on p.programme = '${to}' and p.code = above.code
    where u.programme = '${to}' and s.programme = '${from}' and s.code = u.code`)
  await db.execute(`
    with recursive tree as (
      select id, '/' || id || '/' as path from units where programme = '${to}' and parent_id is null
      union all select u.id, t.path || u.id || '/' from units u join tree t on u.parent_id = t.id
    )
    update units u set path = t.path from tree t where u.id = t.id`)
}

/** The counters are summed up afterwards: a trigger that keeps ten million rows in hand is no part of what is measured. */
async function writeRecords(tx: Db, records: number, newest: string): Promise<void> {
  const months = Array.from({ length: MONTHS }, (_, back) => `'${addMonths(newest, -back)}'`)
  await tx.execute("set local session_replication_role = 'replica'")
  await tx.execute(`
    insert into message_records (group_id, unit_id, month, recorded_on, category, count, source, decided_by, confidence,
      excerpt, created_at)
    select g.id, g.unit_id, m.month, (m.month || '-' || lpad((1 + n % 28)::text, 2, '0'))::date,
      (array['政策法规', '致富信息', '新闻娱乐', '便民服务', '其他'])[1 + (n / 7) % 5], 1 + (n / 11) % 3,
      (array['notice', 'posted', 'forwarded', 'counted'])[1 + (n / 3) % 4],
      case when n % 3 = 0 then 'person' else 'machine' end, 0.9, '消息正文的前几十个字', m.at
    from (
      select n, 1 + floor(power(random(), 1.5) * ${MONTHS})::int as back, 1 + floor(random() * g.count)::int as place
      from generate_series(1, ${records}::int) n,
        (select count(*)::int as count from groups where programme = '${RURAL}') g
    ) r
    join (
      select (array[${months.join(', ')}])[back] as month, back, now() as at from generate_series(1, ${MONTHS}) back
    ) m on m.back = r.back
    join (
      select id, unit_id, row_number() over (order by id) as place from groups where programme = '${RURAL}'
    ) g on g.place = r.place`)
  await tx.execute("set local session_replication_role = 'origin'")
  await tx.execute(`
    insert into record_counts (unit_id, month, category, source, decided_by, messages)
    select unit_id, month, category, source, decided_by, sum(count) from message_records group by 1, 2, 3, 4, 5`)
  await tx.execute(`
    insert into subtree_record_counts (unit_id, month, category, source, decided_by, messages)
    select over.id::bigint, c.month, c.category, c.source, c.decided_by, sum(c.messages)
    from record_counts c join units u on u.id = c.unit_id
    cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')) as over (id) group by 1, 2, 3, 4, 5`)
}

/** An activity for every second township and month, what each township says twice a year, and a person for each owner. */
async function writeRest(db: Db, newest: string): Promise<void> {
  await db.execute(`
    insert into activities (unit_id, kind, held_on, month, status, created_at)
    select u.id, (array['activities.policyTalks', 'activities.skillsTraining', 'activities.other'])[1 + (u.id + back) % 3],
      (month || '-10')::date, month, 'held', now()
    from units u, (
      select back, to_char(('${newest}-01'::date - make_interval(months => back)), 'YYYY-MM') as month
      from generate_series(0, ${MONTHS - 1}) back
    ) m where u.programme = '${RURAL}' and u.level = 'township' and (u.id + back) % 2 = 0`)
  await db.execute(`
    insert into unit_facts (unit_id, month, branches, cadres, youth, other_groups, members, created_at)
    select u.id, month, u.id % 20, u.id % 50, u.id % 900, u.id % 3,
      case when u.id % 4 = 0 then '{"membersHome.farming": 120, "membersAway.wageWork": 60}'::jsonb end, now()
    from units u, (
      select to_char(('${newest}-01'::date - make_interval(months => back)), 'YYYY-MM') as month
      from generate_series(0, ${MONTHS - 1}, 6) back
    ) m where u.programme = '${RURAL}' and u.level = 'township'`)
  await db.execute(`
    insert into registrations (person_id, unit_id, group_id, residence, occupation, registered_at)
    select distinct on (owner_id) owner_id, unit_id, id, 'home', 'membersHome.farming', created_at
    from groups where programme = '${RURAL}' and owner_id is not null order by owner_id, id`)
}
