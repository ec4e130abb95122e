import ExcelJS from 'exceljs'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cast, inventCast } from '../../scripts/demo/cast.ts'
import { differences } from '../../scripts/demo/check.ts'
import type { Players } from '../../scripts/demo/people.ts'
import { type Recount, recount } from '../../scripts/demo/recount.ts'
import { type DemoStage, openDemo } from '../../scripts/demo/stage.ts'
import { playMonth } from '../../scripts/demo/story.ts'
import { type Summary, summarise } from '../../scripts/demo/summary.ts'
import { TRACKING_FIGURES, type TrackingSheet } from '../../server/domain/reports/tracking-sheet.ts'
import { writeTrackingSheet } from '../../server/domain/reports/write-form.ts'
import { randomDataKey } from '../../server/start.ts'
import { loadTemplates } from '../../server/templates.ts'
import { cloneDatabase } from '../support/database.ts'

const scale = {
  counties: 2,
  townships: 2,
  youthGroupsATownship: 4,
  cadresATownship: 4,
  youthATownship: 9,
  volunteersABranch: 8,
}

/** The demo's month with few people: every number comes from the rows and is counted again from the simulator's log. */
describe('the month of the demo', () => {
  const templates = loadTemplates()
  let stage: DemoStage
  let cast: Cast
  let players: Players
  let summary: Summary
  let sheets: Map<string, TrackingSheet>
  let counted: Recount

  beforeAll(async () => {
    stage = await openDemo({
      databaseUrl: await cloneDatabase(),
      dataKey: randomDataKey(),
      log: pino({ level: 'silent' }),
      phonePort: 0,
      serverPort: 0,
      host: '127.0.0.1',
    })
    cast = inventCast(templates.regions, scale)
    players = await playMonth({ stage, cast, scale, tell: () => {} })
    ;({ summary, sheets } = await summarise(stage.server.rt))
    counted = recount(stage.sim, cast, players)
  }, 120_000)
  afterAll(() => stage.stop())

  test('the database and the simulator agree on every number', () => {
    expect(differences(cast, summary, sheets, counted)).toEqual([])
  })

  test('the month was not empty', () => {
    expect(summary.messages.政策法规).toBeGreaterThan(10)
    expect(summary.persons.registeredYouth).toBe(2 * 2 * 9)
    expect(summary.activities).toBeGreaterThan(3)
    expect(summary.joinRequests).toEqual({
      approved: 14,
      'approved by a person': 2,
      rejected: 2,
      'rejected by a person': 2,
    })
    expect(summary.tasks).toEqual({ opened: 1, closed: 1 })
    expect(summary.updates).toEqual({ handled: summary.updates.handled })
    expect(summary.notices).toHaveLength(3)
    for (const notice of summary.notices) expect(notice.posted).toBeGreaterThan(0)
  })

  test('the platform found nothing wrong with what the server sent', () => {
    expect(
      stage.sim.log.filter(
        entry => entry.kind === 'bad_reply' || entry.kind === 'cut' || entry.kind === 'dropped',
      ),
    ).toEqual([])
    // 84061: of a stranger in a group one cannot know before asking that nobody here has them as a customer
    const refused = stage.sim.log.filter(
      entry => entry.kind === 'api' && ![0, 45015, 45047, 84061].includes(Number(entry.errcode)),
    )
    expect(refused).toEqual([])
  })

  test('a number that differs is noticed', () => {
    const wrong = { ...counted, registered: counted.registered + 1 }
    expect(differences(cast, summary, sheets, wrong)).toHaveLength(1)
    const [code] = counted.townships.keys()
    const row = counted.townships.get(code as string)
    const townships = new Map(counted.townships).set(code as string, { ...row, groups: 99 } as never)
    expect(differences(cast, summary, sheets, { ...counted, townships })).toHaveLength(1)
  })

  test('every cell of the printed sheets is the count of the log', async () => {
    const columns = 'BCDEFGHIJKLMNOPQRSTUVWX'
    for (const county of cast.counties) {
      const book = new ExcelJS.Workbook()
      const file = await writeTrackingSheet(
        templates.form('tracking-sheet'),
        sheets.get(county.name) as TrackingSheet,
      )
      await book.xlsx.load(file as unknown as ArrayBuffer)
      const sheet = book.worksheets[0]
      const found = new Map<string, number[]>()
      sheet?.eachRow(row => {
        const name = String(row.getCell('A').value ?? '')
        found.set(
          name.replace(/\s/g, ''),
          [...columns].map(column => Number(row.getCell(column).value)),
        )
      })
      const sums = TRACKING_FIGURES.map(() => 0)
      for (const township of county.townships) {
        const expected = TRACKING_FIGURES.map(figure => counted.townships.get(township.code)?.[figure] ?? -1)
        expect(found.get(township.name), township.name).toEqual(expected)
        for (const [index, value] of expected.entries()) sums[index] = (sums[index] as number) + value
      }
      expect(found.get('合计')).toEqual(sums)
    }
  })
})
