import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { preloaded } from '../support/process.ts'

const script = path.resolve(import.meta.dirname, '../../scripts/classify-messages.ts')

function run(input: string, ...args: string[]) {
  return spawnSync(process.execPath, [...preloaded, script, ...args], { input, encoding: 'utf8' })
}

describe('classify-messages', () => {
  test('answers each line in order', () => {
    const { stdout, status, stderr } = run(
      '\uFEFF{"id":"a","text":"收到"}\r\n\n{"id":2,"text":"我身份证号11010519491231002X","form":"chat"}\n',
    )
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(lines.map(({ id }) => id)).toEqual(['a', 2])
    expect(lines[0]).toMatchObject({ category: '其他', alerts: [] })
    expect(lines[1].alerts).toEqual(['privacy'])
    expect(stdout).not.toContain('11010519491231002X')
  })

  test('names bad lines, answers the good ones and ends with 2', () => {
    const { stdout, stderr, status } = run(
      '{"id":"a","text":"收到"}\nnot json\n[]\n{"text":"x"}\n{"id":1,"text":5}\n{"id":"b","text":"好的"}\n',
    )
    expect(status).toBe(2)
    expect(stdout.trim().split('\n')).toHaveLength(2)
    expect(stderr).toContain('第 2 行: 不是有效的 JSON')
    expect(stderr).toContain('第 3 行: 不是 JSON 对象')
    expect(stderr).toContain('第 4 行: 缺少 "id"')
    expect(stderr).toContain('第 5 行: 缺少 "text"')
  })

  test('helps, and refuses what it does not know', () => {
    expect(run('', '--help')).toMatchObject({ status: 0, stderr: '' })
    expect(run('', '--help').stdout).toContain('用法')
    const wrong = run('', '--fast')
    expect(wrong.status).toBe(2)
    expect(wrong.stderr).toContain('不认识的参数: --fast')
  })

  test('nothing in, nothing out', () => {
    expect(run('')).toMatchObject({ status: 0, stdout: '', stderr: '' })
  })
})
