import exceljs, { type Worksheet } from 'exceljs'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  noFigures,
  TRACKING_FIGURES,
  type TrackingRow,
  type TrackingSheet,
  totals,
} from '../../../../server/domain/reports/tracking-sheet.ts'
import { writeTrackingSheet } from '../../../../server/domain/reports/write-form.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const layout = loadTemplates().form('tracking-sheet')

/** Every figure of every row is another number, so that a swapped cell shows. */
function row(township: string, first: number): TrackingRow {
  const figures = noFigures()
  TRACKING_FIGURES.forEach((id, index) => {
    figures[id] = first + index
  })
  return { township, figures }
}

const sheet: TrackingSheet = {
  countyName: '榆阳区',
  month: '2026-10',
  filledOn: '2026-11-02',
  filledBy: '高建国',
  contact: '13800001111',
  rows: [row('鱼河镇', 100), row('上盐湾镇', 200), row('镇川镇', 300)],
  countyDirectGroups: 4,
  cityDirectGroups: null,
  messagesSorted: { byMachine: 1500, byHand: 27 },
}

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWX']

async function open(bytes: Buffer): Promise<Worksheet> {
  const workbook = new exceljs.Workbook()
  await workbook.xlsx.load(new Uint8Array(bytes).buffer)
  const [worksheet] = workbook.worksheets
  if (!worksheet) throw new Error('no sheet')
  return worksheet
}

/** A row as printed: the second and later cells of a merged range are left out. */
function printed(worksheet: Worksheet, line: number): unknown[] {
  return letters
    .map(letter => worksheet.getCell(`${letter}${line}`))
    .filter(cell => cell.master === cell)
    .map(cell => cell.value)
}

describe('a filled sheet, opened again', () => {
  let worksheet: Worksheet
  beforeAll(async () => {
    worksheet = await open(await writeTrackingSheet(layout, sheet))
  })

  it.each([
    [1, ['附件3']],
    [2, ['农村共青团微信体系建设工作推进情况跟踪摸底表']],
    [3, ['榆阳区团委', '填报时间：2026年11月2日', '填表人：高建国', '联系方式：13800001111']],
    [
      4,
      [
        '乡镇名称',
        '团支部数',
        '团干部数',
        '团员青年数',
        '微信群数',
        '微信群内成员数(人)',
        '发送微信数(条)',
        '线下活动开展情况(次)',
      ],
    ],
    [
      5,
      [
        '在乡',
        '外出',
        '政策法规',
        '致富信息',
        '新闻娱乐',
        '便民服务',
        '其他',
        '政策宣讲',
        '技能培训',
        '文体娱乐',
        '婚恋交友',
        '其他',
      ],
    ],
    [6, ['务农', '务工', '经商', '行政事业单位', '其他', '务工', '就学', '创业', '其他']],
    [7, ['鱼河镇', ...TRACKING_FIGURES.map((_, index) => 100 + index)]],
    [8, ['上盐湾镇', ...TRACKING_FIGURES.map((_, index) => 200 + index)]],
    [9, ['镇川镇', ...TRACKING_FIGURES.map((_, index) => 300 + index)]],
    [10, ['合计', ...TRACKING_FIGURES.map((_, index) => 600 + 3 * index)]],
    [11, ['县级直属微信群数量', 4, ...Array<null>(19).fill(null)]],
    [12, ['市级直属微信群数量', null, ...Array<null>(19).fill(null)]],
    // 609 groups of the townships and 4 of the county
    [13, ['总计', 613, ...Array<null>(19).fill(null)]],
    [
      14,
      [
        '注：数据月份：2026年10月；一条消息发到几个群计几条；群内成员按人计，同一人在本乡镇多个群中只计一次。',
      ],
    ],
    [15, ['发送微信数中，机器归类 1500 条，人工归类 27 条。']],
  ])('row %d', (line, cells) => {
    expect(printed(worksheet, line)).toEqual(cells)
  })

  it('carries the stamp line and nothing below it', () => {
    expect(worksheet.getCell('P16').value).toBe('填表单位（盖章）：')
    expect(worksheet.rowCount).toBe(16)
    expect(worksheet.columnCount).toBe(24)
  })

  it('merges as printed', () => {
    expect(new Set(worksheet.model.merges)).toEqual(
      new Set([
        ...['A1:X1', 'A2:X2', 'A3:F3', 'G3:L3', 'M3:R3', 'S3:X3'],
        ...['A4:A6', 'B4:B6', 'C4:C6', 'D4:D6', 'E4:E6', 'F4:N4', 'O4:S4', 'T4:X4', 'F5:J5', 'K5:N5'],
        ...letters.slice(14).map(letter => `${letter}5:${letter}6`),
        ...['A11:D11', 'A12:D12', 'A13:D13', 'A14:X14', 'A15:X15', 'P16:X16'],
      ]),
    )
  })

  it('prints on A4 landscape, one page wide, with the header on every page', () => {
    expect(worksheet.pageSetup).toMatchObject({
      paperSize: 9,
      orientation: 'landscape',
      fitToPage: true,
      fitToWidth: 1,
      fitToHeight: 0,
      printTitlesRow: '4:6',
    })
  })

  it('frames every cell of the table in 宋体 and no cell outside it', () => {
    for (const letter of letters) {
      for (let line = 1; line <= 16; line += 1) {
        const { border, font } = worksheet.getCell(`${letter}${line}`)
        const isFramed = line >= 4 && line <= 13
        expect([letter, line, border?.top?.style, border?.right?.style]).toEqual([
          letter,
          line,
          ...(isFramed ? ['thin', 'thin'] : [undefined, undefined]),
        ])
        if (isFramed) expect(font.name).toBe('宋体')
      }
    }
  })

  it('holds values, no formulas', () => {
    worksheet.eachRow(each => {
      each.eachCell(cell => {
        expect(cell.formula).toBeUndefined()
      })
    })
  })
})

describe('other sheets', () => {
  it('the city knows its own number of groups', async () => {
    const worksheet = await open(await writeTrackingSheet(layout, { ...sheet, cityDirectGroups: 2 }))
    expect(worksheet.getCell('E12').value).toBe(2)
    expect(worksheet.getCell('E13').value).toBe(615)
  })

  it('an empty sheet has the blanks of the form, zeros and no note on sorting', async () => {
    const empty = {
      ...sheet,
      countyName: '',
      filledOn: '',
      filledBy: '',
      contact: '',
      rows: [],
      messagesSorted: null,
    }
    const worksheet = await open(await writeTrackingSheet(layout, { ...empty, countyDirectGroups: 0 }))
    expect(printed(worksheet, 3)).toEqual(['＿＿＿县(区)团委', '填报时间：', '填表人：', '联系方式：'])
    expect(printed(worksheet, 7)).toEqual(['合计', ...TRACKING_FIGURES.map(() => 0)])
    expect(worksheet.getCell('E10').value).toBe(0)
    expect(worksheet.getCell('A11').value).toContain('注：数据月份：2026年10月')
    expect(worksheet.getCell('P12').value).toBe('填表单位（盖章）：')
  })

  it('what a person typed is never read as a pattern or a formula', async () => {
    const worksheet = await open(
      await writeTrackingSheet(layout, { ...sheet, filledBy: '=1+1 $& {contact}' }),
    )
    expect(worksheet.getCell('M3').value).toBe('填表人：=1+1 $& {contact}')
  })

  it('the same sheet gives the same bytes at any time', async () => {
    const one = await writeTrackingSheet(layout, sheet)
    // the times inside a ZIP file have a step of two seconds
    await new Promise(resolve => setTimeout(resolve, 2100))
    expect((await writeTrackingSheet(layout, sheet)).equals(one)).toBe(true)
    expect((await writeTrackingSheet(layout, { ...sheet, contact: '' })).equals(one)).toBe(false)
  })

  it('a layout with a column that the sheet does not know is refused', () => {
    const columns = layout.columns.map(column => ({
      ...column,
      figure: column.figure.replace('youth', 'elders'),
    }))
    expect(() => writeTrackingSheet({ ...layout, columns }, sheet)).toThrow('no figure elders')
  })
})

describe('totals', () => {
  it('sums every figure and adds the groups of county and city', () => {
    const { sum, allGroups } = totals({ ...sheet, cityDirectGroups: 5 })
    expect(sum.branches).toBe(600)
    expect(sum['activities.other']).toBe(666)
    expect(allGroups).toBe(609 + 4 + 5)
  })

  it('leaves the rows as they are', () => {
    totals(sheet)
    expect(sheet.rows[0]?.figures.branches).toBe(100)
  })
})
