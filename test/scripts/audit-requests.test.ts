import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { preloaded } from '../support/process.ts'

const root = path.resolve(import.meta.dirname, '../..')
const sample = path.join(root, 'test/fixtures/eval/join')

function run(...args: string[]) {
  return spawnSync(process.execPath, [...preloaded, path.join(root, 'scripts/audit-requests.ts'), ...args], {
    encoding: 'utf8',
  })
}

function filesIn(folder: string, changes: Record<string, string> = {}): string[] {
  const files = {
    roster: 'roster.csv',
    groups: 'groups.json',
    members: 'members.csv',
    requests: 'requests.jsonl',
  }
  return Object.entries(files).flatMap(([name, file]) => [
    `--${name}`,
    changes[name] ?? path.join(folder, file),
  ])
}

interface Expected {
  id: string
  decision: string
  row: number | null
  reason: string
  also: string[]
  also_reasons: string[]
}
interface Printed {
  id: string
  decision: string
  row: number | null
  reason: string
  explanation: string
}

describe('the labelled sample', () => {
  let pairs: { expected: Expected; printed: Printed }[] = []
  beforeAll(() => {
    const { stdout, status } = run(...filesIn(sample))
    expect(status).toBe(0)
    const printed = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Printed)
    const expected = readFileSync(path.join(sample, 'expected.jsonl'), 'utf8').trim().split('\n')
    pairs = expected.map((line, i) => ({ expected: JSON.parse(line), printed: printed[i] as Printed }))
  })

  test('answers every request in order', () => {
    expect(pairs.every(({ expected, printed }) => expected.id === printed.id)).toBe(true)
  })
  test('lets nobody in wrongly, nor in another person’s name', () => {
    const approved = pairs.filter(({ printed }) => printed.decision === 'approve')
    expect(approved.filter(({ expected }) => expected.decision !== 'approve')).toEqual([])
    expect(approved.filter(({ expected, printed }) => printed.row !== expected.row)).toEqual([])
  })
  test('turns nobody away who belongs here', () => {
    expect(
      pairs.filter(
        ({ expected, printed }) => expected.decision === 'approve' && printed.decision === 'reject',
      ),
    ).toEqual([])
  })
  test('decides as an officer would', () => {
    const accepted = pairs.filter(({ expected, printed }) =>
      [expected.decision, ...expected.also].includes(printed.decision),
    )
    expect(accepted.length / pairs.length).toBeGreaterThanOrEqual(0.995)
    const decidable = pairs.filter(({ expected }) => expected.decision !== 'review')
    const decided = decidable.filter(({ expected, printed }) => expected.decision === printed.decision)
    expect(decided.length / decidable.length).toBeGreaterThanOrEqual(0.98)
  })
  test('explains without a full number', () => {
    expect(
      pairs.filter(({ printed }) => !/。$/.test(printed.explanation) || /\d{4}/.test(printed.explanation)),
    ).toEqual([])
  })
})

describe('bad input', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'audit-requests-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const write = (name: string, content: string) => {
    const file = path.join(folder, name)
    writeFileSync(file, content)
    return file
  }

  test('--help', () => {
    const { status, stdout } = run('--help')
    expect(status).toBe(0)
    expect(stdout).toContain('--roster')
  })
  test('missing and unknown options', () => {
    expect(run().status).toBe(2)
    expect(run('--nonsense').status).toBe(2)
  })
  test('a file that is not there', () => {
    const { status, stderr } = run(...filesIn(sample, { members: path.join(folder, 'none.csv') }))
    expect(status).toBe(2)
    expect(stderr).toContain('none.csv')
  })
  test('a line that is not JSON is named by file and line', () => {
    const requests = write(
      'requests.jsonl',
      `{"id":"1","group":"G001","at":"2026-03-01T10:00:00+08:00","text":"x"}\nnonsense\n`,
    )
    const { status, stderr } = run(...filesIn(sample, { requests }))
    expect(status).toBe(2)
    expect(stderr).toContain('requests.jsonl:2')
  })
  test('a request without a field, or for an unknown group', () => {
    const missing = write('missing.jsonl', `{"id":"1","group":"G001","at":"2026-03-01T10:00:00+08:00"}\n`)
    expect(run(...filesIn(sample, { requests: missing })).stderr).toMatch(/missing\.jsonl:1.*text/)
    const unknown = write(
      'unknown.jsonl',
      `{"id":"1","group":"nope","at":"2026-03-01T10:00:00+08:00","text":"x"}\n`,
    )
    expect(run(...filesIn(sample, { requests: unknown })).stderr).toMatch(/unknown\.jsonl:1.*nope/)
  })
  test('a roster without a column, with a bad date', () => {
    const columns = write('columns.csv', '姓名,手机号\r\n张伟,13812345678\r\n')
    expect(run(...filesIn(sample, { roster: columns })).stderr).toMatch(/columns\.csv:1.*身份证号/)
    const header = '姓名,手机号,身份证号,微信号,省份,地市,区县,团支部,人员类别,服务开始日期,服务结束日期,状态'
    const date = write(
      'date.csv',
      `${header}\r\n张伟,13812345678,,,陕西省,榆林市,定边县,,全国项目,2025/8/1,,在岗\r\n`,
    )
    expect(run(...filesIn(sample, { roster: date })).stderr).toMatch(/date\.csv:2.*服务开始日期/)
  })
})
