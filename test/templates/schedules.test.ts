import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { loadTemplates, TEMPLATES_FOLDER, TemplatesError } from '../../server/templates.ts'

describe('a schedule that is wrong stops the server with the place and the reason', () => {
  let folder = ''
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  function problemsWith(from: string, to: string): string[] {
    folder = mkdtempSync(join(tmpdir(), 'templates-'))
    cpSync(TEMPLATES_FOLDER, folder, { recursive: true })
    const file = join(folder, 'schedules/xibu-2020.json')
    const text = readFileSync(file, 'utf8')
    if (!text.includes(from)) throw new Error(`${from} is not in the file`)
    writeFileSync(file, text.replace(from, to))
    try {
      loadTemplates(folder)
      return []
    } catch (error) {
      if (error instanceof TemplatesError) return [...error.problems]
      throw error
    }
  }

  test.each([
    ['"id": "xibu-2020"', '"id": "xibu-2021"', 'id: is xibu-2021, but the file is xibu-2020'],
    ['"programme": "xibu"', '"programme": "xibo"', 'unknown programme xibo'],
    ['"city-office"]', '"city-desk"]', 'runBy: unknown unit kind city-desk'],
    ['"by": "06-10"', '"by": "06-31"', 'step publicity-and-posts: 06-31 is no day of any year'],
    ['"by": "06-10"', '"before": "06-10"', 'steps.3.when: must be {by}, {from, to}'],
    ['"by": "06-10"', '"by": "6月10日"', 'steps.3.when.by: must be a day such as 06-10'],
    ['"of": "arrival-and-training"', '"of": "arrival"', 'step insurance: unknown step arrival'],
    ['"of": "arrival-and-training"', '"of": "insurance"', 'step insurance: its day depends on itself'],
    ['"of": "arrival-and-training"', '"of": "bimonthly-report"', 'has several days, none to count from'],
    ['"months": [1, 3, 5, 7, 9, 11]', '"months": [1, 3, 3]', 'bimonthly-report-03 occurs twice'],
    ['"id": "selection"', '"id": "replacements"', 'replacements occurs twice'],
    ['{上月}底', '{前月}底', 'step bimonthly-report: {前月} is none of {日期}'],
    ['"levels": ["province", "city"] }', '"levels": ["township"] }', 'unknown level township'],
    ['"choices": ["已报", "不是服务省"]', '"choices": ["已报"]', 'ask.choices'],
    ['"kind": "choice"', '"kind": "text"', 'choices belong to a choice'],
    ['全国项目办发〔2020〕3号 三.4', '全国项目办发〔2019〕3号 三.4', 'names no listed document of xibu'],
    ['"reminders": [5, 2]', '"reminders": [5, 5]', 'a reminder occurs twice'],
    [
      '"noticeDays": 14, "reminders": [5, 1]',
      '"noticeDays": 30, "reminders": [5, 1]',
      'asks something 30 days before',
    ],
  ])('%s → %s', (from, to, reason) => {
    const problems = problemsWith(from, to).join('\n')
    expect(problems).toContain('schedules/xibu-20')
    expect(problems).toContain(reason)
  })
})
