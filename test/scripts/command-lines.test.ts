import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ExcelJS from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomDataKey } from '../../server/start.ts'
import { cloneDatabase } from '../support/database.ts'
import { runProgram } from '../support/process.ts'

const UNITS = `单位编码,单位名称,单位类型,上级编码
610800,榆林市,团市委,
610802,榆阳区,县区团委,610800
610802101,镇川镇,乡镇团委,610802
`
const ROSTER = `姓名,职务,单位编码,手机,状态
高市书,农村战线团干部,610800,139 0000 0001,在岗
林县书,农村战线团干部,610802,13900000002,在岗
王镇川,乡镇团委成员,610802101,13900000011,在岗
`

describe('the command lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-cli-'))
  chmodSync(folder, 0o755)
  const env: Record<string, string> = { DATA_KEY: randomDataKey() }
  const file = (name: string, text: string | Buffer) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const run = (script: string, ...args: string[]) => runProgram(`scripts/${script}.ts`, args, env)

  beforeAll(async () => {
    env.DATABASE_URL = await cloneDatabase()
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each([
    'import-roster',
    'import-units',
    'issue-code',
    'export-form',
    'export-corrections',
    'audit-requests',
    'eval-join',
    'classify-messages',
    'migrate',
    'simulate',
    'demo',
    'rehearse',
    'export-verdicts',
  ])('%s --help explains itself in Chinese', async script => {
    const { status, stdout } = await run(script, '--help')
    expect(status).toBe(0)
    expect(stdout).toMatch(/用法|用途/)
  })

  test('units, then the roster: first a look, then the import, then nothing new', async () => {
    const units = file('units.csv', UNITS)
    expect(await run('import-units', units, '--programme', 'qingnong')).toMatchObject({ status: 0 })
    const roster = file('roster.csv', ROSTER)
    const look = await run('import-roster', roster, '--programme', 'qingnong', '--dry-run')
    expect(look.stdout).toContain('新增 3，变动 0，不变 0，离开 0，有误 0 行')
    expect(look.stdout).toContain('没有导入')
    expect((await run('import-roster', roster, '--programme', 'qingnong')).stdout).toContain('已导入')
    expect((await run('import-roster', roster, '--programme', 'qingnong')).stdout).toContain(
      '新增 0，变动 0，不变 3',
    )
  })

  test('an XLSX and a GBK file are read as well', async () => {
    const book = new ExcelJS.Workbook()
    const sheet = book.addWorksheet('名册')
    for (const line of ROSTER.trim().split('\n')) sheet.addRow(line.split(','))
    const xlsx = file('roster.xlsx', Buffer.from(await book.xlsx.writeBuffer()))
    expect((await run('import-roster', xlsx, '--programme', 'qingnong')).stdout).toContain('不变 3')
    const { encode } = (await import('iconv-lite')).default
    const gbk = file('roster-gbk.csv', encode(ROSTER, 'gbk'))
    expect((await run('import-roster', gbk, '--programme', 'qingnong')).stdout).toContain('不变 3')
  })

  test('one wrong row and nothing is imported; the line and the reason are said', async () => {
    const wrong = file(
      'wrong.csv',
      `${ROSTER}新人甲,乡镇团委成员,610802101,1390000,在岗\n新人乙,乡镇团委成员,999999,13900000099,在岗\n`,
    )
    const { status, stdout } = await run('import-roster', wrong, '--programme', 'qingnong')
    expect(status).toBe(1)
    expect(stdout).toContain('第 5 行 手机')
    expect(stdout).toContain('第 6 行 单位')
    expect(stdout).toContain('没有导入任何一行')
    expect((await run('import-roster', file('r2.csv', ROSTER), '--programme', 'qingnong')).stdout).toContain(
      '不变 3',
    )
  })

  test.each<[string, string[], number, RegExp]>([
    ['a file that is not there', ['no-such.csv'], 1, /ENOENT/],
    ['no file', [], 2, /请给出一个名册文件/],
    ['an option that does not exist', ['x.csv', '--frobnicate'], 2, /frobnicate/],
    ['a programme that does not exist', ['README.md', '--programme', 'nope'], 2, /没有体系 nope/],
    ['a file without the columns', ['README.md', '--programme', 'qingnong'], 1, /表头|姓名/],
  ])('import-roster refuses %s', async (_label, args, status, words) => {
    const result = await run('import-roster', ...args)
    expect(result.status).toBe(status)
    expect(result.stderr).toMatch(words)
    expect(result.stderr).not.toMatch(/^\s+at /m)
  })

  test('the first officer gets a code; a stranger does not', async () => {
    const { stdout } = await run(
      'issue-code',
      '--programme',
      'qingnong',
      '--unit',
      '610800',
      '--name',
      '高市书',
    )
    expect(stdout).toMatch(/高市书 的绑定码：[0-9A-Z]{8}/)
    expect(
      await run('issue-code', '--programme', 'qingnong', '--unit', '610800', '--name', '无此人'),
    ).toMatchObject({ status: 1 })
  })

  test('the tracking sheet of an empty month is the form with zeros', async () => {
    const out = join(folder, 'sheet.xlsx')
    const { status } = await run(
      'export-form',
      '--form',
      'tracking-sheet',
      '--unit',
      '610802',
      '--month',
      '2026-09',
      '--out',
      out,
    )
    expect(status).toBe(0)
    const book = new ExcelJS.Workbook()
    await book.xlsx.load(readFileSync(out) as unknown as ArrayBuffer)
    const text = JSON.stringify(book.worksheets[0]?.getSheetValues())
    expect(text).toContain('农村共青团微信体系建设工作推进情况跟踪摸底表')
    expect(text).toContain('镇川镇')
    for (const args of [
      ['--month', '2026-13'],
      ['--form', 'nope'],
      ['--unit', '1'],
    ])
      expect(
        (
          await run(
            'export-form',
            '--form',
            'tracking-sheet',
            '--unit',
            '610802',
            '--month',
            '2026-09',
            '--out',
            out,
            ...args,
          )
        ).status,
      ).not.toBe(0)
  })
})
