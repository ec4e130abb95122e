import { createRequire } from 'node:module'
import exceljs, { type Worksheet } from 'exceljs'
import fc from 'fast-check'
import iconv from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { isHeaderRow } from '../../../../server/domain/roster/columns.ts'
import { openTable, type ReadOptions } from '../../../../server/domain/roster/read-table.ts'
import type { TableRow } from '../../../../server/domain/roster/table.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const vocabulary = loadTemplates().roster
const isHeader = (cells: readonly string[]) => isHeaderRow(cells, vocabulary)

const text = '姓名,手机号\r\n林小雨,13800001111\r\n张志愿,13800002222\r\n'
const table = {
  headers: ['姓名', '手机号'],
  headerLine: 1,
  rows: [
    { line: 2, cells: ['林小雨', '13800001111'] },
    { line: 3, cells: ['张志愿', '13800002222'] },
  ],
}

/** Reads a file to its end. */
async function readTable(bytes: Uint8Array, options?: ReadOptions) {
  const { headers, headerLine, rows } = await openTable({ bytes }, options)
  const all: TableRow[] = []
  for await (const batch of rows) all.push(...batch)
  return { headers, headerLine, rows: all }
}

async function workbook(fill: (sheet: Worksheet) => void, name = '名册'): Promise<Buffer> {
  const book = new exceljs.Workbook()
  fill(book.addWorksheet(name))
  return Buffer.from(await book.xlsx.writeBuffer())
}

describe('a CSV file', () => {
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['GBK', iconv.encode(text, 'gbk')],
    ['line feeds only', Buffer.from(text.replaceAll('\r\n', '\n'))],
    ['tabs', Buffer.from(text.replaceAll(',', '\t'))],
    ['semicolons', Buffer.from(text.replaceAll(',', ';'))],
    ['Chinese commas', Buffer.from(text.replaceAll(',', '，'))],
    ['quotes', Buffer.from(text.replaceAll('林小雨', '"林小雨"'))],
  ])('in %s', async (_, file) => {
    expect(await readTable(file)).toEqual(table)
  })

  it('with rare characters of names in GB18030', async () => {
    const file = iconv.encode('姓名,手机号\n何𬭎,13800001111\n', 'gb18030')
    expect((await readTable(file)).rows[0]?.cells).toEqual(['何𬭎', '13800001111'])
  })

  it('with a title above the heading, blank lines, and the heading printed again', async () => {
    const file = Buffer.from(
      '榆阳区名册，2026年,\n填报单位：项目办,填报时间\n\n姓名,手机号\n林小雨,1\n,\n姓名,手机号\n张志愿,2\n',
    )
    expect(await readTable(file, { isHeader })).toEqual({
      headers: ['姓名', '手机号'],
      headerLine: 4,
      rows: [
        { line: 5, cells: ['林小雨', '1'] },
        { line: 8, cells: ['张志愿', '2'] },
      ],
    })
  })

  it('with a cell in quotes that runs over lines, and one that runs over parts of the file', async () => {
    const long = `甲${'乙'.repeat(120_000)}`
    const file = Buffer.from(`姓名,备注\n林小雨,"一\n二,""三"""\n张志愿,"${long}\n完"\n李,四\n`)
    expect((await readTable(file)).rows).toEqual([
      { line: 2, cells: ['林小雨', '一\n二,"三"'] },
      { line: 3, cells: ['张志愿', `${long}\n完`] },
      { line: 4, cells: ['李', '四'] },
    ])
  })

  it('whose characters are cut apart between two parts of it', async () => {
    const rows = Array.from(
      { length: 40_000 },
      (_, index) => `林小${'雨'.repeat(1 + (index % 7))},1380000${index}`,
    )
    const text = `姓名,手机号\n${rows.join('\n')}\n`
    for (const file of [
      Buffer.from(text),
      iconv.encode(text, 'gbk'),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
    ])
      expect((await readTable(file)).rows.map(row => row.cells.join(','))).toEqual(rows)
  })

  it.each([
    ['both line ends', '姓名,备注\r\n林小雨,"一"\n张志愿,二\r\n李四,三\n', '一'],
    [
      'line feeds in cells of an old Macintosh file',
      '姓名,备注\r林小雨,"一\n二"\r张志愿,二\r李四,三\r',
      '一\n二',
    ],
  ])('with quotes and %s', async (_, text, note) => {
    expect((await readTable(Buffer.from(text))).rows.map(row => row.cells)).toEqual([
      ['林小雨', note],
      ['张志愿', '二'],
      ['李四', '三'],
    ])
  })

  it('with a stray quote and rows of other lengths', async () => {
    const { rows } = await readTable(Buffer.from('姓名,手机号\n林"小雨\n张志愿,1,多\n'))
    expect(rows.map(row => row.cells)).toEqual([['林"小雨'], ['张志愿', '1', '多']])
  })
})

describe('an XLSX file', () => {
  it('with text, numbers, dates, rich text, links and formulas as text', async () => {
    const file = await workbook(sheet => {
      sheet.addRow(['姓名', '手机号', '身份证号', '开始', '职务', '微信号', '年限', '备注'])
      sheet.addRow([
        { richText: [{ text: '林' }, { text: '小雨', font: { bold: true } }] },
        13800001111,
        '11010519491231002X',
        new Date(Date.UTC(2025, 7, 1)),
        { text: '书记', hyperlink: 'https://example.org' },
        { formula: 'A1', result: 'lxy' },
        1.5,
        { error: '#N/A' },
      ])
    })
    const { rows } = await readTable(file)
    expect(rows).toEqual([
      {
        line: 2,
        cells: ['林小雨', '13800001111', '11010519491231002X', '2025-08-01', '书记', 'lxy', '1.5', ''],
      },
    ])
  })

  it('gives a range merged downwards to each row, a title across once', async () => {
    const file = await workbook(sheet => {
      sheet.addRow(['榆阳区名册'])
      sheet.mergeCells('A1:C1')
      sheet.addRow(['区县', '姓名', '手机号'])
      sheet.addRow(['榆阳区', '林小雨', '1'])
      sheet.addRow(['', '张志愿', '2'])
      sheet.mergeCells('A3:A4')
    })
    expect(await readTable(file)).toEqual({
      headers: ['区县', '姓名', '手机号'],
      headerLine: 2,
      rows: [
        { line: 3, cells: ['榆阳区', '林小雨', '1'] },
        { line: 4, cells: ['榆阳区', '张志愿', '2'] },
      ],
    })
  })

  it('takes the first visible sheet with a heading', async () => {
    const book = new exceljs.Workbook()
    book.addWorksheet('填表说明').addRow(['请按列填写', '每人一行'])
    book.addWorksheet('旧名册', { state: 'hidden' }).addRow(['姓名', '手机号'])
    book.addWorksheet('名册').addRows([
      ['姓名', '手机号'],
      ['林小雨', '1'],
    ])
    const { rows } = await readTable(Buffer.from(await book.xlsx.writeBuffer()), { isHeader })
    expect(rows.map(row => row.cells[0])).toEqual(['林小雨'])
  })
})

/** A workbook whose first sheet says what no program would write. */
async function withSheetXml(file: Uint8Array, change: (xml: string) => string): Promise<Buffer> {
  const JsZip = createRequire(createRequire(import.meta.url).resolve('exceljs'))('jszip') as {
    loadAsync(file: Uint8Array): Promise<{
      file(name: string): { async(kind: 'string'): Promise<string> }
      file(name: string, content: string): unknown
      generateAsync(options: { type: 'nodebuffer'; compression: 'DEFLATE' }): Promise<Buffer>
    }>
  }
  const zip = await JsZip.loadAsync(file)
  const name = 'xl/worksheets/sheet1.xml'
  zip.file(name, change(await zip.file(name).async('string')))
  return zip.generateAsync({ type: 'nodebuffer', compression: 'DEFLATE' })
}

describe('a file that cannot be read', () => {
  const zip = Buffer.from([0x50, 0x4b, 0x03, 0x04, 1, 2, 3, 4])
  const ole = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])
  it.each([
    ['nothing in it', Buffer.alloc(0), 'table.empty'],
    ['only blank lines', Buffer.from('\n,,\n \n'), 'table.empty'],
    ['no heading', Buffer.from('名册\n林小雨\n'), 'table.no_header'],
    ['a broken workbook', zip, 'table.broken'],
    ['an old or locked workbook', ole, 'table.unsupported'],
    ['an open quote', Buffer.from('姓名,手机号\n"林小雨,1\n张志愿,2\n'), 'table.broken'],
    ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0xff, 0xff]), 'table.encoding'],
    ['broken UTF-8 behind a mark', Buffer.from([0xef, 0xbb, 0xbf, 0xe5, 0xa7]), 'table.encoding'],
  ])('%s', async (_, file, code) => {
    await expect(readTable(file)).rejects.toMatchObject({ name: 'DomainError', code })
  })

  it('a small workbook whose merged range would be made cell by cell', async () => {
    const whole = await workbook(sheet => sheet.addRow(['姓名', '手机号']))
    const merged = await withSheetXml(whole, xml =>
      xml.replace(
        '</sheetData>',
        '</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>',
      ),
    )
    await expect(readTable(merged)).rejects.toMatchObject({ code: 'table.broken' })
  })

  it('a row of 16,384 cells is read as far as a roster goes', async () => {
    const wide = await workbook(sheet => {
      sheet.addRow(['姓名', '手机号'])
      sheet.addRow(['林小雨', '13800000000'])
      sheet.getCell('XFD2').value = 'x'
    })
    const { rows } = await readTable(wide)
    expect(rows[0]?.cells.length).toBeLessThanOrEqual(300)
    expect(rows[0]?.cells[0]).toBe('林小雨')
  })

  it.each([
    ['the last row but one million', 1_048_577],
    ['row 50,000,000', 50_000_000],
    ['row 4,000,000,000', 4_000_000_000],
  ])('a small workbook with %s, soon', async (_, line) => {
    const whole = await workbook(sheet =>
      sheet.addRows([
        ['姓名', '手机号'],
        ['林小雨', '1'],
      ]),
    )
    const far = await withSheetXml(whole, xml =>
      xml.replace(/<row r="2"/, `<row r="${line}"`).replace(/"([AB])2"/g, `"$1${line}"`),
    )
    const begun = performance.now()
    await expect(readTable(far)).rejects.toMatchObject({ code: 'table.too_large' })
    expect(performance.now() - begun).toBeLessThan(5000)
  })

  it('rows that are left out in a workbook are not read one by one', async () => {
    const far = await workbook(sheet => {
      sheet.addRow(['姓名', '手机号'])
      sheet.getCell('A1048576').value = '林小雨'
    })
    const batches: number[] = []
    for await (const batch of (await openTable({ bytes: far })).rows) batches.push(batch.length)
    expect((await readTable(far)).rows).toEqual([{ line: 1_048_576, cells: ['林小雨'] }])
    expect(batches.length).toBeLessThan(3)
  })

  it('a workbook that unpacks to more than it says, without unpacking it', async () => {
    const whole = await withSheetXml(await workbook(sheet => sheet.addRow(['姓名', '手机号'])), xml =>
      xml.replace('</sheetData>', `</sheetData>${' '.repeat(50_000_000)}`),
    )
    const lying = Buffer.from(whole)
    const entry = [0x50, 0x4b, 0x01, 0x02]
    for (let at = lying.indexOf(Buffer.from(entry)); at >= 0; at = lying.indexOf(Buffer.from(entry), at + 4))
      if (lying.readUInt32LE(at + 24) > 1000) lying.writeUInt32LE(1000, at + 24)
    const before = process.memoryUsage().rss
    await expect(readTable(lying)).rejects.toMatchObject({ code: 'table.broken' })
    expect(process.memoryUsage().rss - before).toBeLessThan(30_000_000)
    await expect(readTable(whole)).resolves.toMatchObject({ headers: ['姓名', '手机号'] })
  })

  it('a workbook with something before it, in which readers find different directories', async () => {
    const whole = await workbook(sheet => sheet.addRow(['姓名', '手机号']))
    const shifted = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), whole])
    await expect(readTable(shifted)).rejects.toMatchObject({ code: 'table.broken' })
  })

  it('a workbook cut off in the middle', async () => {
    const whole = await workbook(sheet => sheet.addRow(['姓名', '手机号']))
    await expect(readTable(whole.subarray(0, whole.length / 2))).rejects.toMatchObject({
      code: 'table.broken',
    })
  })

  it('a workbook without sheets or cells', async () => {
    await expect(readTable(await workbook(() => {}))).rejects.toMatchObject({ code: 'table.empty' })
  })

  it('whatever the bytes are, the officer gets a sentence', async () => {
    const starts = fc.constantFrom('', 'PK\u0003\u0004', '\ufeff', '姓名,手机号\n"')
    await fc.assert(
      fc.asyncProperty(starts, fc.uint8Array({ maxLength: 200 }), async (start, bytes) => {
        const file = Buffer.concat([Buffer.from(start), bytes])
        const error = await readTable(file).then(
          () => null,
          reason => reason,
        )
        if (error) expect(error).toMatchObject({ name: 'DomainError', message: expect.stringMatching(/。$/) })
      }),
    )
  })

  it('too many bytes or rows', async () => {
    await expect(readTable(Buffer.from(text), { maxBytes: 10 })).rejects.toMatchObject({
      code: 'table.too_large',
    })
    await expect(readTable(Buffer.from(text), { maxRows: 1 })).rejects.toMatchObject({
      code: 'table.too_large',
    })
  })
})
