import { performance } from 'node:perf_hooks'
import { pino } from 'pino'
import { connectDatabase, type Db } from '../../../db/client.ts'
import { createDatabase, migrateDatabase } from '../../../db/migrate.ts'
import { movableClock } from '../../../server/clock.ts'
import { reconcileAll } from '../../../server/domain/groups/reconcile-units.ts'
import type { DomainRuntime } from '../../../server/runtime.ts'
import { randomDataKey } from '../../../server/start.ts'
import { loadTemplates } from '../../../server/templates.ts'
import { createVault } from '../../../server/vault.ts'
import { type AuditStage, type AuditTarget, auditTarget, shownOnly } from './part.ts'

/** The longest that the nightly reconcile of the whole nation may take. */
const LIMIT_SECONDS = 60
const DAY_MS = 86_400_000

/** Units of the volunteers' programme by level, the first at id 1: 45,000 in all, each with one group. */
const LEVELS = [
  { kind: 'national-office', level: 'national', count: 1, group: 'national-work' },
  { kind: 'province-office', level: 'province', count: 31, group: 'province-work' },
  { kind: 'city-office', level: 'city', count: 342, group: 'city-work' },
  { kind: 'county-office', level: 'county', count: 2978, group: 'graduate-teaching' },
  { kind: 'volunteer-branch', level: 'branch', count: 41_648, group: 'branch' },
] as const

const OFFICES = 1 + 31 + 342 + 2978
const CONTACT_OFFICES = 1 + 31 + 342
/** Of each office: two persons in charge, one of the staff, and the 团委 leader. */
const OFFICERS = 4
const VOLUNTEERS = 20
/** Of a thousand members so many are missing; of a thousand groups so many have somebody of another branch. */
const MISSING = 5
const EXTRA = 20

/**
 * `npm run bench:audit`, part `reconcile`: a nation of 45,000 groups with a million members, in which some are missing and
 * some do not belong, is held against the roster as by night, and once more on the night after, when nothing has changed.
 * @throws Error when what is found is not what was planted
 */
export async function reconcilePart(stage: AuditStage): Promise<AuditTarget[]> {
  const url = await createDatabase(stage.maintenanceUrl, `bench_reconcile_${process.pid}`)
  await migrateDatabase(url)
  const { db, close } = connectDatabase(url, 4)
  try {
    stage.say('reconcile: making 45,000 groups with their members')
    await fillNation(db)
    const planted = await plant(db)
    const [size] = await db.execute<{ groups: number; members: number }>(
      `select (select count(*) from groups)::int as groups, (select count(*) from group_members where left_at is null)::int as members`,
    )
    stage.say(`reconcile: ${size?.groups} groups, ${size?.members} members, ${planted} faults`)
    const clock = movableClock(new Date('2026-09-07T03:30:00+08:00'))
    const rt: DomainRuntime = {
      db,
      clock,
      vault: createVault(randomDataKey()),
      templates: loadTemplates(),
      log: pino({ level: 'silent' }),
      publicUrl: 'https://qunzhen.example.cn',
    }
    const first = await measured(() => reconcileAll(rt))
    if (first.result.opened !== planted)
      throw new Error(`${planted} faults were planted, ${first.result.opened} were found`)
    clock.advance(DAY_MS)
    const second = await measured(() => reconcileAll(rt))
    if (second.result.opened !== 0 || second.result.open !== planted)
      throw new Error('the second night found something else')
    return [
      auditTarget('reconcile of 45,000 groups, 1,000,000 members (s)', first.seconds, '<', LIMIT_SECONDS),
      auditTarget('the same on the night after, nothing changed (s)', second.seconds, '<', LIMIT_SECONDS),
      shownOnly('reconcile: members', size?.members ?? 0),
      shownOnly('reconcile: findings, all of them planted', planted),
      shownOnly('reconcile: memory beyond what it began with (MB)', first.megabytes),
    ]
  } finally {
    await close()
  }
}

/** Runs something and says how long it took and how far the process grew. */
async function measured<Result>(work: () => Promise<Result>) {
  const before = process.memoryUsage.rss()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 50)
  const began = performance.now()
  try {
    const result = await work()
    const seconds = (performance.now() - began) / 1000
    return { result, seconds, megabytes: (peak - before) / 1024 / 1024 }
  } finally {
    clearInterval(watch)
  }
}

/** Everything is as the notices have it: all who belong in a group are there, and nobody else. */
async function fillNation(db: Db): Promise<void> {
  let firstId = 1
  let firstParent = 0
  let parents = 0
  for (const { kind, level, count } of LEVELS) {
    await db.execute(`
      insert into units (id, programme, code, name, kind, level, parent_id, path, created_at) overriding system value
      select u.id, 'xibu', '${level}-' || u.id, '单位' || u.id, '${kind}', '${level}', p.id, coalesce(p.path, '/') || u.id || '/', now()
      from (select ${firstId} + n as id, ${parents === 0 ? 'null::int' : `${firstParent} + n * ${parents} / ${count}`} as parent_id
        from generate_series(0, ${count - 1}) n) u
      left join units p on p.id = u.parent_id`)
    ;[firstParent, parents] = [firstId, count]
    firstId += count
  }
  const persons = OFFICES * OFFICERS + (LEVELS[4].count as number) * VOLUNTEERS
  await db.execute(`
    insert into persons (id, name, name_key, sound_key, created_at) overriding system value
    select n, '人' || n, '人' || n, '', now() from generate_series(1, ${persons}) n`)
  await db.execute(`
    insert into roster_imports (id, file_name, file_hash, applied_by, applied_at, new_count, changed_count, gone_count)
    overriding system value values (1, 'x.csv', 'x', 'bench', now(), 0, 0, 0)`)
  // who serves where as what: the officers of each office, then the volunteers of each branch
  await db.execute(`
    create temporary table serving as
    select (u.id - 1) * ${OFFICERS} + k as person_id, u.id as unit_id,
      case when k <= 2 then 'in-charge' when k = 3 then 'staff' when u.id = 1 then 'guidance-centre-head' else 'league-leader' end as role,
      null::text as category
    from units u cross join generate_series(1, ${OFFICERS}) k where u.id <= ${OFFICES}
    union all
    select ${OFFICES * OFFICERS} + (u.id - ${OFFICES + 1}) * ${VOLUNTEERS} + k, u.id,
      case k when 1 then 'branch-secretary' else 'volunteer' end, case k when ${VOLUNTEERS} then '研究生支教团' else '全国项目' end
    from units u cross join generate_series(1, ${VOLUNTEERS}) k where u.id > ${OFFICES}`)
  await db.execute(
    `insert into roles (person_id, unit_id, role, started_at) select person_id, unit_id, role, now() from serving`,
  )
  await db.execute(`
    insert into roster_entries (programme, unit_id, person_id, role, category, starts_on, ends_on, status, extra, import_id)
    select 'xibu', unit_id, person_id, role, category, case when category is not null then date '2026-08-01' end,
      case when category is not null then date '2027-07-31' end, '在岗', '{}', 1 from serving`)
  await db.execute(`update units set manager_id = (id - 1) * ${OFFICERS} + 3 where id <= ${OFFICES}`)
  await db.execute(`
    insert into contacts (person_id, office_id, unit_id, since_on, assigned_by)
    select person_id, unit_id, ${OFFICES + 1} + (person_id * 37) % ${LEVELS[4].count}, date '2026-01-01', person_id
    from serving where unit_id <= ${CONTACT_OFFICES} and role in ('in-charge', 'staff')`)
  const kindOf = LEVELS.map(({ kind, group }) => `when '${kind}' then '${group}'`).join(' ')
  await db.execute(`
    insert into groups (id, programme, kind, unit_id, name, platform, owner_id, chat_id, capacity, size, members_read_at,
      members_read_by, created_at) overriding system value
    select id, 'xibu', case kind ${kindOf} end, id, '群' || id, case when id > ${OFFICES} then 'customer' else 'wechat' end,
      case kind when 'volunteer-branch' then ${OFFICES * OFFICERS} + (id - ${OFFICES + 1}) * ${VOLUNTEERS} + 1
        when 'county-office' then (id - 1) * ${OFFICERS} + 4 else (id - 1) * ${OFFICERS} + 1 end,
      case when id > ${OFFICES} then 'chat' || id end, 500, 30, timestamptz '2026-09-06 18:30:00+08',
      case when id > ${OFFICES} then 'platform' else 'pasted' end, now()
    from units`)
  await db.execute(`
    insert into group_members (group_id, person_id, address, known_by, joined_at)
    select group_id, person_id, case when group_id > ${OFFICES} then 'wm' || person_id end, 'join_pass', now() from (
      select unit_id as group_id, person_id from serving
        where unit_id <= ${CONTACT_OFFICES} or unit_id > ${OFFICES} or role = 'league-leader'
      union select u.parent_id, s.person_id from units u join serving s on s.unit_id = u.id
        where s.role = 'in-charge' and u.parent_id <= ${CONTACT_OFFICES}
      union select u.id, s.person_id from units u join serving s on s.unit_id = u.parent_id where u.id > ${OFFICES}
      union select u.parent_id, s.person_id from units u join serving s on s.unit_id = u.id where s.category = '研究生支教团'
      union select unit_id, person_id from contacts
    ) belonging`)
  await db.execute(`drop table serving`)
  await db.execute(`analyze`)
}

/** Takes members away and puts others in. Returns how many findings there must be. */
async function plant(db: Db): Promise<number> {
  const gone = await db.execute(`
    update group_members m set left_at = now() from groups g
    where g.id = m.group_id and m.id % 1000 < ${MISSING} and m.person_id <> g.owner_id returning 1`)
  const put = await db.execute(`
    insert into group_members (group_id, person_id, address, known_by, joined_at)
    select id, owner_id + ${VOLUNTEERS + 1}, 'wx' || id, 'join_pass', now() from groups
    where id > ${OFFICES} and id < ${OFFICES + LEVELS[4].count} and id % 1000 < ${EXTRA} returning 1`)
  await db.execute(`analyze group_members`)
  return gone.length + put.length
}
