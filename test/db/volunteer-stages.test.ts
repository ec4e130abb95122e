import { expect, test } from 'vitest'
import type { Db } from '../../db/client.ts'
import { countVolunteers, volunteersByFile } from '../../db/queries/volunteers.ts'
import {
  persons,
  rosterEntries,
  rosterImports,
  units,
  volunteerFiles,
  volunteerSteps,
} from '../../db/schema/index.ts'
import { shanghaiMoment } from '../../server/clock.ts'
import { ownRows, ownWritings, wayRule } from '../../server/domain/volunteers/rules.ts'
import { type Stage, stageWords, WRITTEN_STEPS, wayOf } from '../../server/domain/volunteers/way.ts'
import { openDatabase } from '../support/database.ts'

const OFFICE = '山东科技大学校项目办'
const SCOPE = { programme: 'xibu', roles: ['volunteer', 'branch-secretary'] }
const FILES = 500
/** Around these everything turns: a leap day, the ends of months and years, the day of an import, today. */
const DAYS = [
  '2024-02-29',
  '2024-12-31',
  '2025-07-25',
  '2026-07-24',
  '2026-07-25',
  '2026-08-31',
  '2027-07-24',
]
const IMPORTED = ['2024-07-20', '2025-07-20', '2026-01-31', '2026-06-23', '2026-07-20']
const TODAYS = ['2026-07-24', '2026-12-31']

/** The same numbers each time. */
function drawn(seed: number) {
  let state = seed
  const next = () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return state / 2 ** 32
  }
  const one = <Item>(items: readonly Item[]) => items[Math.floor(next() * items.length)] as Item
  return { one, happens: (chance: number) => next() < chance }
}

/** Files with up to four rows and five steps, whatever these are. @returns the office */
async function drawFiles(db: Db): Promise<number> {
  const { one, happens } = drawn(7)
  const createdAt = shanghaiMoment('2024-01-01', '09:00')
  const made = await db
    .insert(units)
    .values(
      [OFFICE, '一支部', '二支部'].map(name => ({
        ...{ programme: 'xibu', code: name, name, path: `/${name}/`, createdAt },
        ...(name === OFFICE
          ? { kind: 'university-office', level: 'university' }
          : { kind: 'volunteer-branch', level: 'branch' }),
      })),
    )
    .returning({ id: units.id })
  const [unitId, ...branches] = made.map(unit => unit.id) as [number, number, number]
  const counts = { newCount: 0, changedCount: 0, goneCount: 0 }
  const imports = await db
    .insert(rosterImports)
    .values(
      IMPORTED.map(day => ({
        ...{ fileName: day, fileHash: day, appliedBy: 'x', ...counts },
        // the day is Shanghai's: it is the day before by UTC
        appliedAt: shanghaiMoment(day, '01:30'),
      })),
    )
    .returning({ id: rosterImports.id })
  const people = await db
    .insert(persons)
    .values(
      Array.from({ length: FILES }, (_, at) => ({
        ...{ name: `志愿者${at}`, nameKey: `志愿者${at}`, soundKey: '', createdAt },
      })),
    )
    .returning({ id: persons.id })
  const files = await db
    .insert(volunteerFiles)
    .values(
      people.map(({ id: personId }) => ({ unitId, personId, year: one([2024, 2025, null]), createdAt })),
    )
    .returning({ id: volunteerFiles.id, personId: volunteerFiles.personId })
  const steps = files.flatMap(({ id: fileId, personId }) =>
    WRITTEN_STEPS.filter(() => happens(0.25)).map(step => ({
      ...{ fileId, step, on: one(DAYS), writtenBy: personId, writtenAt: createdAt },
    })),
  )
  await db.insert(volunteerSteps).values(steps)
  const rows = files.flatMap(({ personId }) =>
    [1, 2, 3, 4]
      .filter(() => happens(0.6))
      .map(() => {
        const brought = one([0, 1, 2, 3])
        const [startsOn, endsOn] = [one(DAYS), one(DAYS)].sort() as [string, string]
        return {
          ...{ programme: 'xibu', unitId: one(branches), personId, role: one(SCOPE.roles), extra: {} },
          category: happens(0.15) ? '延期' : null,
          university: one(['山东科技大学', '山东科技大学 团委', '青岛大学', null]),
          startsOn: happens(0.9) ? startsOn : null,
          endsOn: happens(0.9) ? endsOn : null,
          status: one(['在岗', '在岗', '待派遣', '离岗']),
          importId: imports[brought]?.id as number,
          goneImportId: happens(0.6) ? (imports[brought + 1]?.id as number) : null,
        }
      }),
  )
  await db.insert(rosterEntries).values(rows).onConflictDoNothing()
  return unitId
}

test('SQL tells every stage as wayOf does, and pages and counts by it', async () => {
  const { db } = await openDatabase()
  const unitId = await drawFiles(db)
  const writings = ['山东科技大学', '山东科技大学 团委', '青岛大学']
  for (const today of TODAYS) {
    const rule = wayRule(today)
    const ask = (stage: Stage | undefined, from: number, limit: number | null) =>
      countVolunteers(
        db,
        { ...SCOPE, ...rule, universities: ownWritings(writings, OFFICE), steps: WRITTEN_STEPS },
        { unitId },
        { stage, from, limit },
      )
    const all = await ask(undefined, 0, null)
    expect(all.fileIds).toHaveLength(FILES)
    const told = new Map(
      (await volunteersByFile(db, SCOPE, all.fileIds)).map(each => [
        each.fileId,
        wayOf(each.steps, ownRows(each.terms, OFFICE), rule).stage,
      ]),
    )
    for (const stage of Object.keys(stageWords) as Stage[]) {
      const { fileIds, counts } = await ask(stage, 0, null)
      const expected = all.fileIds.filter(id => told.get(id) === stage)
      expect([today, stage, fileIds]).toEqual([today, stage, expected])
      const counted = counts.filter(each => each.stage === stage).reduce((sum, each) => sum + each.count, 0)
      expect(counted).toBe(expected.length)
    }
    expect((await ask(undefined, 10, 20)).fileIds).toEqual(all.fileIds.slice(10, 30))
    // not one of these is told only of files that nobody could have
    expect(new Set(told.values()).size).toBeGreaterThan(8)
  }
})
