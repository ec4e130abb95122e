import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Db } from '../../db/client.ts'
import { noteReconciledUpTo } from '../../db/queries/findings.ts'
import { groupsUnder, openTasksOf } from '../../db/queries/groups.ts'
import { findingKinds } from '../../server/domain/groups/findings.ts'
import { reconcileGroup } from '../../server/domain/groups/reconcile.ts'
import { reconcileAll } from '../../server/domain/groups/reconcile-units.ts'
import { cleanMatrix, domainOn, TODAY, type World } from '../support/clean-matrix.ts'
import { cloneDatabase } from '../support/database.ts'
import { type Expected, type Fault, faults, noFaults } from '../support/plant-faults.ts'

class RolledBack extends Error {}

let close: () => Promise<void>
let db: Db
let world: World

beforeAll(async () => {
  const connected = connectDatabase(await cloneDatabase(), 3)
  close = connected.close
  db = connected.db
  world = await cleanMatrix(db, domainOn(db).rt.clock.now())
})
afterAll(() => close())

/** What the nightly reconcile leaves open, as kind, place and who. */
async function findingsOn(tx: Db): Promise<string[]> {
  await reconcileAll(domainOn(tx).rt)
  const rows = await tx.execute<{ kind: string; place: string; who: string }>(sql`
    select t.kind, coalesce(g.name, u.name) as place, coalesce(p.name, t.address,
      case when t.kind = 'identify_member' then t.about end) as who
    from tasks t left join groups g on g.id = t.group_id left join units u on u.id = t.unit_id
      left join persons p on p.id = t.person_id
    where t.closed_at is null`)
  return rows.map(row => lineOf([row.kind, row.place, row.who ?? undefined])).sort()
}

function lineOf([kind, place, who]: readonly [string, string, (string | undefined)?]): string {
  return [kind, place, ...(who === undefined ? [] : [who])].join(' ')
}

/** Plants faults on the clean matrix, checks, and takes everything back. */
async function found(planted: readonly Fault[]): Promise<{ found: string[]; expected: string[] }> {
  return inVain(async tx => {
    const expected: Expected[] = []
    for (const fault of planted) expected.push(...(await fault.plant(world.within(tx))))
    return { found: await findingsOn(tx), expected: expected.map(lineOf).sort() }
  })
}

/** Does something to the matrix and takes it back. */
async function inVain<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> {
  let result: { value: Result } | undefined
  try {
    await db.transaction(async tx => {
      result = { value: await work(tx) }
      throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  }
  return (result as { value: Result }).value
}

describe('planted faults', () => {
  test('a matrix that is as the notices have it: nothing is found', async () => {
    expect((await found([])).found).toEqual([])
  })

  test.each(faults.map(fault => [fault.name, fault] as const))(
    '%s: found, and nothing else',
    async (_name, fault) => {
      const result = await found([fault])
      expect(result.found).toEqual(result.expected)
    },
  )

  test.each(noFaults.map(fault => [fault.name, fault] as const))('%s', async (_name, fault) => {
    const result = await found([fault])
    expect(result.found).toEqual(result.expected)
  })

  test('every kind of finding is planted, besides codes that were passed on', async () => {
    const kinds = new Set<string>()
    for (const fault of faults)
      await inVain(async tx => {
        for (const [kind] of await fault.plant(world.within(tx))) kinds.add(kind)
      })
    expect([...findingKinds].filter(kind => !kinds.has(kind))).toEqual(['pass_misused'])
  })

  test.each([1, 2, 3, 4])(
    'members taken and added at random (%i): the page says the same as the night',
    async seed => {
      await inVain(async tx => {
        const { rt } = domainOn(tx)
        await tx.execute(sql.raw(`select setseed(0.${seed})`))
        await tx.execute(sql`update group_members set left_at = now() where random() < 0.3`)
        await tx.execute(sql`
        insert into group_members (group_id, person_id, known_by, joined_at)
        select g.id, p.id, 'nickname', now() from groups g, persons p where random() < 0.05 on conflict do nothing`)
        await reconcileAll(rt)
        for (const group of await groupsUnder(tx, '/')) {
          if (rt.templates.groupKind(group.programme, group.kind).admission !== 'audited') continue
          const { missing, extra } = await reconcileGroup(rt, group)
          const open = (await openTasksOf(tx, [group.id])).map(task => [task.kind, task.personId] as const)
          const persons = (...kinds: string[]) =>
            open.flatMap(([kind, personId]) => (kinds.includes(kind) ? [personId] : [])).sort()
          expect(persons('invite_member', 'contact_absent'), group.name).toEqual(
            missing.map(person => person.personId).sort(),
          )
          expect(persons('remove_member'), group.name).toEqual(extra.map(person => person.personId).sort())
        }
      })
    },
  )

  test('what is mended closes, what stays keeps its age, and a second look on the same day changes nothing', async () => {
    await inVain(async tx => {
      const { rt, clock } = domainOn(tx)
      for (const fault of faults.slice(0, 3)) await fault.plant(world.within(tx))
      expect(await reconcileAll(rt)).toMatchObject({ opened: 3, closed: 0, open: 3, isDone: true })
      expect(await reconcileAll(rt)).toMatchObject({ units: 0, isDone: true })
      clock.advance(86_400_000)
      // the one whose last day was yesterday belongs there no more
      expect(await reconcileAll(rt)).toMatchObject({ opened: 0, closed: 1, open: 2 })
      await tx.execute(
        sql`update group_members set left_at = null where person_id = (select id from persons where name = '王志愿')`,
      )
      clock.advance(86_400_000)
      expect(await reconcileAll(rt)).toMatchObject({ opened: 0, closed: 1, open: 1 })
      const rows = await tx.execute(sql`
        select closed_by, (created_at at time zone 'Asia/Shanghai')::date::text as since, due_on::text from tasks order by closed_at nulls last, id`)
      expect([...rows]).toEqual([
        { closed_by: 'reading', since: '2026-09-07', due_on: '2026-09-10' },
        { closed_by: 'reading', since: '2026-09-07', due_on: '2026-09-10' },
        { closed_by: null, since: '2026-09-07', due_on: '2026-09-10' },
      ])
    })
  })

  test('a run that was stopped goes on where it stopped, and asks for nothing twice', async () => {
    await inVain(async tx => {
      const { rt } = domainOn(tx)
      for (const fault of faults.slice(0, 5)) await fault.plant(world.within(tx))
      const stopping = new AbortController()
      stopping.abort()
      expect(await reconcileAll(rt, stopping.signal)).toMatchObject({ units: 0, isDone: false })
      await noteReconciledUpTo(tx, TODAY, world.unitId('榆林'))
      const rest = await reconcileAll(rt)
      expect(rest).toMatchObject({ isDone: true, opened: 3 })
    })
  })
})
