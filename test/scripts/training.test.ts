import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { featureFinder } from '../../scripts/training/features.ts'
import { readCorrections, readVerdicts, withLessons } from '../../scripts/training/lessons.ts'
import { trainModel } from '../../scripts/training/logistic.ts'
import { lossOf, measure } from '../../scripts/training/measure.ts'
import { CATEGORIES } from '../../server/domain/messages/categories.ts'
import { loadLinearModel, type ModelFile, scoreText } from '../../server/domain/messages/linear-model.ts'
import { shippedModels } from '../../server/domain/messages/shipped.ts'
import { prepareText } from '../../server/domain/messages/text-features.ts'
import { readDevSet, readRegressionSet } from '../server/domain/messages/dev-set.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lessons-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))

function fileOf(...lines: unknown[]): string {
  const file = path.join(folder, `${crypto.randomUUID()}.jsonl`)
  fs.writeFileSync(file, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  return file
}

describe('what was put right by hand', () => {
  test('the last correction of a text counts, and it replaces the written line', () => {
    const lessons = readCorrections(
      fileOf({ text: '谁有梯子', label: '其他' }, { text: '谁有梯子', label: '便民服务' }),
    )
    expect(lessons).toEqual([{ text: '谁有梯子', label: '便民服务', weight: 2 }])
    const written = [
      { text: '谁有梯子', label: '其他' },
      { text: '收到', label: '其他' },
    ]
    expect(withLessons(written, lessons, [])).toEqual([{ text: '收到', label: '其他' }, ...lessons])
  })

  test('a false alarm teaches none, a right one the alert; one kept without its text teaches nothing', () => {
    const file = fileOf(
      { alert: 'safety', text: '累死了', verdict: 'false' },
      { alert: 'safety', text: '娃掉沟里了', verdict: 'right' },
      { alert: 'secret', text: '', verdict: 'false' },
    )
    expect(readVerdicts(file).map(({ label }) => label)).toEqual(['none', 'safety'])
  })

  test('the regression set is never learnt', () => {
    const held = [{ text: '谁有梯子' }]
    expect(withLessons([], [{ text: '谁有梯子', label: '其他' }], held)).toEqual([])
  })

  test.each([
    [readCorrections, { text: '好', label: '体育' }],
    [readCorrections, { label: '其他' }],
    [readVerdicts, { alert: 'opinion', text: '好', verdict: 'false' }],
    [readVerdicts, { alert: 'safety', text: '好', verdict: 'asked' }],
  ])('a line that is none is named by its number: %#', (read, line) => {
    const good = { text: '好', label: '其他', alert: 'safety', verdict: 'right' }
    expect(() => read(fileOf(good, line))).toThrow('第 2 行')
  })
})

const TOY = {
  labels: ['果', '车'],
  classes: { 水果: ['苹果', '梨子', '杏子'] },
  longest: 2,
  epochs: 20,
  decay: 1e-4,
  learningRate: 0.2,
  leastExamples: 1,
  leastWeight: 0,
}
const TOY_EXAMPLES = [
  { text: '苹果甜，杏子酸', label: '果' },
  { text: '梨子熟了', label: '果' },
  { text: '班车晚点了', label: '车' },
  { text: '班车几点？', label: '车' },
]

test('the same lines give the same model, and a word of a class is known by the others', () => {
  const file = trainModel(TOY_EXAMPLES, TOY)
  expect(trainModel(TOY_EXAMPLES, TOY)).toEqual(file)
  const { probabilities } = scoreText(loadLinearModel(file), prepareText('杏子'))
  expect(probabilities[0]).toBeGreaterThan(0.5)
})

test('a model that does worse is told by how much and at which messages', () => {
  const items = [
    { text: '梨子', label: '果' },
    { text: '班车', label: '车', also: ['果'] },
  ]
  const right = measure(items, text => (text === '班车' ? '车' : '果'))
  const defended = measure(items, () => '果')
  const wrong = measure(items, () => '车')
  expect([right.macro, defended.macro]).toEqual([1, 1])
  expect(lossOf(right, right)).toBeNull()
  expect(lossOf(wrong, right)).toBeNull()
  expect(lossOf(right, wrong)?.points).toBeCloseTo(1 - wrong.macro)
  expect(lossOf(right, wrong)?.newlyWrong).toEqual([{ item: items[0], guessed: '车' }])
})

test('what is counted in use is what was learnt, once each', () => {
  const findFeatures = featureFinder(3, {})
  const uncounted: string[] = []
  const models = path.resolve(import.meta.dirname, '../../templates/models')
  for (const [kind, model] of Object.entries(shippedModels())) {
    const file = JSON.parse(fs.readFileSync(path.join(models, `message-${kind}.json`), 'utf8')) as ModelFile
    const names = file.features.split('\n')
    const known = new Set(names)
    for (const { text } of readDevSet('categories-dev.jsonl')) {
      const rows = scoreText(model, prepareText(text)).found.filter((_, at) => at % 3 === 0)
      const counted = new Set([...rows].map(row => names[row]))
      if (counted.size < rows.length) uncounted.push(`twice: ${text}`)
      for (const feature of findFeatures({ text })) {
        if (known.has(feature) && !counted.has(feature)) uncounted.push(`${feature} in ${text}`)
      }
    }
  }
  expect(uncounted).toEqual([])
})

test('no line of the samples or of the regression sets is among the training lines', () => {
  const folder = path.resolve(import.meta.dirname, '../../templates/training')
  const learnt = new Set(
    ['categories.jsonl', 'alerts.jsonl'].flatMap(name =>
      fs
        .readFileSync(path.join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map(line => (JSON.parse(line) as { text: string }).text),
    ),
  )
  const held = [
    ...readDevSet('categories-dev.jsonl'),
    ...readDevSet('alerts-dev.jsonl'),
    ...readRegressionSet('categories.jsonl'),
    ...readRegressionSet('alerts.jsonl'),
  ]
  expect(held.filter(({ text }) => learnt.has(text)).map(({ text }) => text)).toEqual([])
  expect(new Set(readRegressionSet('categories.jsonl').map(({ label }) => label))).toEqual(
    new Set(CATEGORIES),
  )
})
