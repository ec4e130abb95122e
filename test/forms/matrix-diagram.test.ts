import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Db } from '../../db/client.ts'
import { type UnitRow, unitById } from '../../db/queries/units.ts'
import {
  collectDiagram,
  type Diagram,
  type DiagramSize,
  MOST_BOXES,
} from '../../server/domain/forms/diagram.ts'
import { drawDiagram, wrap } from '../../server/domain/forms/draw-diagram.ts'
import { matrixDiagramForms, pictureOf } from '../../server/domain/forms/matrix-diagram.ts'
import { chineseFont } from '../../server/domain/pictures/font.ts'
import { svgToPng } from '../../server/domain/pictures/svg-to-png.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { domainOn, World } from '../support/clean-matrix.ts'
import { cloneDatabase, dropDatabase } from '../support/database.ts'
import { type FormMatrix, generateFormMatrix, type RawUnit } from '../support/form-matrix.ts'

/** Months, with their ends worked out by hand. */
const AT = {
  '2025-12': { month: '2025-12', end: new Date('2026-01-01T00:00:00+08:00') },
  '2026-02': { month: '2026-02', end: new Date('2026-03-01T00:00:00+08:00') },
  '2026-06': { month: '2026-06', end: new Date('2026-07-01T00:00:00+08:00') },
}

let db: Db
let rt: DomainRuntime
let close: () => Promise<void>

beforeAll(async () => {
  const url = await cloneDatabase()
  const connected = connectDatabase(url, 4)
  db = connected.db
  rt = domainOn(db).rt
  close = async () => {
    await connected.close()
    await dropDatabase(url)
  }
})
afterAll(() => close())

const diagramOf = async (unitId: number, month: string, size: DiagramSize): Promise<Diagram> =>
  collectDiagram(rt, (await unitById(db, unitId)) as UnitRow, month, size)

describe('generated matrices, counted by hand over the raw rows', () => {
  const matrices: Record<string, FormMatrix> = {}
  beforeAll(async () => {
    matrices.xibu = await generateFormMatrix(db, rt.vault, 'xibu', 11)
    matrices.shaoxiandui = await generateFormMatrix(db, rt.vault, 'shaoxiandui', 12)
  })

  /** What each box must say, by the units that it stands for. */
  function figures(matrix: FormMatrix, units: readonly RawUnit[], end: Date): Map<string, [number, number]> {
    const sums = new Map<string, [number, number]>()
    for (const group of matrix.groups) {
      if (!units.some(unit => unit.id === group.unitId)) continue
      if (group.createdAt >= end || (group.dissolvedAt !== null && group.dissolvedAt < end)) continue
      const [groups, people] = sums.get(group.kind) ?? [0, 0]
      sums.set(group.kind, [groups + 1, people + group.size])
    }
    return sums
  }
  /** Which of the units lack the group, by name. */
  function lacking(matrix: FormMatrix, units: readonly RawUnit[], kind: string, end: Date): string[] {
    return units
      .filter(unit => !figures(matrix, [unit], end).has(kind))
      .sort((a, b) => (a.code < b.code ? -1 : 1))
      .map(unit => unit.name)
  }

  test.each([
    { programme: 'xibu', size: 'desk', ...AT['2025-12'] },
    { programme: 'xibu', size: 'phone', ...AT['2026-06'] },
    { programme: 'shaoxiandui', size: 'desk', ...AT['2026-02'] },
    { programme: 'shaoxiandui', size: 'phone', ...AT['2026-06'] },
  ] as const)('$programme on a $size in $month', async ({ programme, size, month, end }) => {
    const matrix = matrices[programme] as FormMatrix
    const kinds = rt.templates.programme(programme).groupKinds
    const drawable = matrix.units.filter(
      unit => unit.createdAt < end && kinds.some(kind => kind.unitKinds.includes(unit.kind)),
    )
    for (const top of drawable.filter(unit => unit.level === 'national' || unit.id % 3 === 0)) {
      const diagram = await diagramOf(top.id, month, size)
      const below = drawable.filter(unit => unit.path.startsWith(top.path))
      const seen = new Set<number>()
      for (const [at, { boxes }] of diagram.bands.entries()) {
        const alone = boxes.filter(box => box.unitId !== null)
        expect(alone.length).toBeLessThanOrEqual(MOST_BOXES[size])
        for (const box of boxes) {
          // a box hangs from one above it, but for the top
          const above = diagram.bands.slice(0, at).flatMap(band => band.boxes.map(each => each.id))
          expect(box.parentId === null ? at : above.includes(box.parentId)).toBe(at === 0 ? 0 : true)
          const head = box.unitId ?? Number(box.id.split(' ')[0])
          const level = box.unitId === null ? box.id.split(' ')[1] : undefined
          const units = below.filter(unit =>
            level === undefined ? unit.id === head : unit.level === level && unit.path.includes(`/${head}/`),
          )
          expect(units.length).toBe(box.units)
          for (const unit of units) {
            expect(seen.has(unit.id)).toBe(false)
            seen.add(unit.id)
          }
          const expected = figures(matrix, units, end)
          for (const kind of kinds) {
            const found = box.kinds.find(each => each.kindName === kind.name)
            expect([kind.name, found?.groups ?? 0, found?.people ?? 0]).toEqual([
              kind.name,
              ...(expected.get(kind.id) ?? [0, 0]),
            ])
            // whoever has people of 研究生支教团 is another test
            if (kind.id === 'graduate-teaching') continue
            const names =
              kind.obligation === 'required' && kind.unitKinds.includes(units[0]?.kind ?? '')
                ? lacking(matrix, units, kind.id, end)
                : []
            expect([kind.name, found?.missing ?? 0, found?.missingNames ?? []]).toEqual([
              kind.name,
              names.length,
              names.slice(0, 3),
            ])
          }
        }
      }
      // every unit is in the picture, once
      expect(seen.size).toBe(below.length)
    }
  })

  test('the same data, the same picture; as PNG, too', async () => {
    const top = matrices.xibu?.units[0] as RawUnit
    const [first, again] = [
      await diagramOf(top.id, '2026-06', 'phone'),
      await diagramOf(top.id, '2026-06', 'phone'),
    ]
    const { svg, width, height } = drawDiagram(first, 'phone')
    expect(drawDiagram(again, 'phone').svg).toBe(svg)
    const png = svgToPng(svg, 1)
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, height])
  })

  test.each(['desk', 'phone'] as const)('nothing leaves the picture of a %s', async size => {
    const top = matrices.shaoxiandui?.units[0] as RawUnit
    const { svg, width, height } = drawDiagram(await diagramOf(top.id, '2026-06', size), size)
    const rects = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)]
    for (const [, x, y, wide, high] of rects) {
      expect(Number(x) + Number(wide)).toBeLessThanOrEqual(width)
      expect(Number(y) + Number(high)).toBeLessThanOrEqual(height)
    }
    const texts = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" font-size="(\d+)"([^>]*)>([^<]*)/g)]
    expect(texts.length).toBeGreaterThan(10)
    for (const [, x, y, px, look = '', words = ''] of texts) {
      const font = chineseFont(look.includes('bold') ? 'bold' : 'regular')
      const units = [...words].reduce(
        (sum, each) => sum + font.glyph(each.codePointAt(0) as number).advance,
        0,
      )
      const wide = (units * Number(px)) / font.unitsPerEm
      expect(Number(x) + (look.includes('middle') ? wide / 2 : wide)).toBeLessThanOrEqual(width)
      expect(Number(y)).toBeLessThan(height)
    }
  })
})

describe('what is missing', () => {
  let world: World
  beforeAll(async () => {
    world = new World(db, new Date('2026-01-01T09:00:00+08:00'))
    await world.unit('xibu', 'm:全国', 'national-office', 'national', null)
    await world.unit('xibu', 'm1:青海省', 'province-office', 'province', 'm:全国')
    await world.unit('xibu', 'm11:玉树州', 'city-office', 'city', 'm1:青海省')
    await world.unit('xibu', 'm111:称多县', 'county-office', 'county', 'm11:玉树州')
    await world.unit('xibu', 'm112:治多县', 'county-office', 'county', 'm11:玉树州')
    await world.unit('xibu', 'm1111:称多团支部', 'volunteer-branch', 'branch', 'm111:称多县')
    await world.unit('xibu', 'm1121:治多团支部', 'volunteer-branch', 'branch', 'm112:治多县')
    await world.serves('研支甲', 'm1111:称多团支部', 'volunteer', {
      category: '研究生支教团',
      startsOn: '2026-08-01',
    })
    await world.serves('志愿乙', 'm1121:治多团支部', 'volunteer', { category: '全国项目' })
    await world.unit('qingnong', 'q:榆林市', 'city-committee', 'city', null)
    await world.unit('qingnong', 'q1:榆阳区', 'county-committee', 'county', 'q:榆林市')
    await world.unit('qingnong', 'q11:镇川镇', 'township-committee', 'township', 'q1:榆阳区')
    await world.unit('qingnong', 'q12:鱼河镇', 'township-committee', 'township', 'q1:榆阳区')
    await world.unit('qingnong', 'q111:羊圈村', 'village-organisation', 'village', 'q11:镇川镇')
    await world.unit('qingnong', 'q19:区直机关', 'direct-organisation', 'village', 'q1:榆阳区')
    const owner = await world.person('群主')
    for (let number = 1; number <= 7; number += 1)
      await world.group('q11:镇川镇', 'youth', `镇川团青${number}群`, owner, [])
    for (let number = 8; number <= 10; number += 1)
      await world.group('q111:羊圈村', 'youth', `羊圈团青${number}群`, owner, [])
  })

  const kindsOf = (diagram: Diagram, title: string) =>
    diagram.bands.flatMap(band => band.boxes).find(box => box.title === title)?.kinds ?? []

  test('研究生支教团联络群 is asked of the county that has such members, from the day they serve', async () => {
    const september = await diagramOf(world.unitId('m1:青海省'), '2026-09', 'desk')
    expect(kindsOf(september, '称多县').map(each => [each.kindName, each.missing])).toEqual([
      ['研究生支教团联络群', 1],
    ])
    expect(kindsOf(september, '治多县')).toEqual([])
    const july = await diagramOf(world.unitId('m1:青海省'), '2026-07', 'desk')
    expect(kindsOf(july, '称多县')).toEqual([])
  })

  test('a township is to have ten 团青群 with its villages, and a village one of its own', async () => {
    const diagram = await diagramOf(world.unitId('q1:榆阳区'), '2026-09', 'desk')
    const youth = (title: string) => kindsOf(diagram, title).find(each => each.kindName === '团青群')
    expect(youth('镇川镇')).toMatchObject({ groups: 7, missing: 0 })
    expect(youth('鱼河镇')).toMatchObject({ groups: 0, missing: 1, atLeastUnder: 10 })
    expect(youth('羊圈村')).toMatchObject({ groups: 3, missing: 0 })
    expect(youth('区直机关')).toMatchObject({ groups: 0, missing: 1, atLeastUnder: null })
    // an organisation that hangs from the county itself, beside those of the townships
    const direct = diagram.bands.at(-1)?.boxes.find(box => box.title === '区直机关')
    expect(direct?.parentId).toBe(String(world.unitId('q1:榆阳区')))
  })

  test('the picture says it in red, and in words', async () => {
    const unit = (await unitById(db, world.unitId('m1:青海省'))) as UnitRow
    const { svg, words, missing } = await pictureOf(rt, unit, '2026-09', 'desk')
    expect(missing).toBe(5)
    expect(words).toContain('青海省（省西部计划工作群 缺 1 个）')
    expect(words).toContain('称多县（研究生支教团联络群 缺 1 个）')
    expect(svg).toContain('stroke-dasharray')
    expect(svg).toContain('>上级：全国<')
  })

  test('the sheet has every box of the picture, with what is missing', async () => {
    const [form] = matrixDiagramForms
    const unit = (await unitById(db, world.unitId('m11:玉树州'))) as UnitRow
    const plan = await form?.plan(rt, unit, '2026-09', { name: '', contact: '' }, 'masked')
    const values = plan?.cells.map(cell => cell.value)
    for (const value of ['玉树州', '称多县', '治多县', '称多团支部', '还没有建', '没有群'])
      expect(values).toContain(value)
  })

  test('a name cannot break the picture', () => {
    const box = { id: '1', parentId: null, title: '<script>&"\u0000\ud800', unitId: 1, units: 1, kinds: [] }
    const { svg } = drawDiagram(
      { title: '图', unitName: '甲', above: [], day: '2026-09-07', bands: [{ name: '省级', boxes: [box] }] },
      'phone',
    )
    expect(svg).not.toContain('<script')
    expect(svg).toContain('&#60;script&#62;&#38;&#34;')
  })
})

test.each([
  ['陕西省西部计划工作群', 60, 12, 9, ['陕西省西部', '计划工作群']],
  ['缺 2 个：某县6111、某县6212', 120, 12, 9, ['缺 2 个：某县', '6111、某县6212']],
  ['一二三四五六七八九十', 36, 12, 2, ['一二三', '四五…']],
  ['', 36, 12, 2, []],
])('%s in %d pixels', (text, width, px, most, lines) => {
  expect(wrap(text, width, px, most)).toEqual(lines)
})
