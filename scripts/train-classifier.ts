/** Trains the two message models from `templates/training` and writes them to `templates/models`. */
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type AlertPolicy, alertMarks, compileCues, findCues } from '../server/domain/messages/alert-cues.ts'
import { findAlerts, loadAlertFinder } from '../server/domain/messages/alerts.ts'
import { CATEGORIES } from '../server/domain/messages/categories.ts'
import { classifyMessage, loadClassifier } from '../server/domain/messages/classify.ts'
import { loadLinearModel, type ModelFile } from '../server/domain/messages/linear-model.ts'
import { findPersonalData } from '../server/domain/messages/personal-data.ts'
import { readCorrections, readVerdicts, withLessons } from './training/lessons.ts'
import {
  type Example,
  seededRandom,
  shuffled,
  type TrainingOptions,
  trainModel,
} from './training/logistic.ts'
import { type Labelled, lossOf, type Measured, measure, reliability } from './training/measure.ts'
import { expandPhrases, type PhraseFile } from './training/phrases.ts'

const HELP = `用法: node scripts/train-classifier.ts [选项]

用 templates/training 里的句子训练两个模型：先交叉验证，再和现有模型在 templates/training/regression 上比一比，
不差才写入 templates/models。样本 test/fixtures/eval 从不参加训练。

选项:
  --corrections <文件>  改过的类别，每行 {"text","label"}
  --verdicts <文件>     对提醒的裁定，每行 {"alert","text","verdict":"false"|"right"}
  --quick               不做交叉验证
  --out <文件夹>        写到别处
  -h, --help            显示本说明

退出码: 0 已写入；1 新模型更差，没有写入；2 参数或文件不对
`

const FOLDS = 5
const ALERT_LABELS = ['safety', 'privacy', 'secret', 'none']
const root = path.resolve(import.meta.dirname, '..')
const training = path.join(root, 'templates/training')

const CATEGORY_OPTIONS: TrainingOptions = {
  labels: CATEGORIES,
  classes: readClasses('word-classes.json'),
  longest: 3,
  epochs: 30,
  decay: 1e-4,
  learningRate: 0.2,
  leastExamples: 2,
  leastWeight: 0.02,
}
const ALERT_OPTIONS: TrainingOptions = {
  ...CATEGORY_OPTIONS,
  labels: ALERT_LABELS,
  classes: readClasses('alert-word-classes.json'),
}
/** An alert missed costs more than one too many; ordinary messages outnumber alerts and need less weight each. */
const ALERT_WEIGHT = 2
const ORDINARY_WEIGHT = 0.5

/** One of the two models: what it learns from and how it is asked. */
interface Task {
  name: string
  file: string
  options: TrainingOptions
  /** Written by hand or put right by hand: these are cross-validated. */
  examples: readonly Example[]
  /** Learnt in every fold. */
  always: readonly Example[]
  held: readonly Labelled[]
  guesserFor: (file: ModelFile) => (text: string) => { label: string; confidence: number }
}

function readJson<T>(file: string): T {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as T
}

function readClasses(name: string): Record<string, string[]> {
  return readJson<{ classes: Record<string, string[]> }>(path.join(training, name)).classes
}

function readLines<T>(name: string): T[] {
  const lines = fs.readFileSync(path.join(training, name), 'utf8').split('\n')
  return lines.filter(line => line.trim() !== '').map(line => JSON.parse(line) as T)
}

function readPhrases(name: string): Example[] {
  return expandPhrases(readJson<PhraseFile>(path.join(training, name)))
}

function categoryTask(corrections: readonly Example[]): Task {
  const held = readLines<Labelled>('regression/categories.jsonl')
  return {
    name: '类别',
    file: 'message-categories.json',
    options: CATEGORY_OPTIONS,
    examples: withLessons(readLines<Example>('categories.jsonl'), corrections, held),
    always: readPhrases('phrases.json'),
    held,
    guesserFor: file => {
      const classifier = loadClassifier(loadLinearModel(file))
      return text => {
        const { category, confidence } = classifyMessage(classifier, text)
        return { label: category, confidence }
      }
    },
  }
}

/** Messages of the categories are none; those are checked against the alerts' own lines, which have the last word. */
function alertTask(ordinary: readonly Example[], verdicts: readonly Example[]): Task {
  const policy = readJson<AlertPolicy>(path.join(root, 'templates/policies/alerts.json'))
  const cues = compileCues(policy)
  const marked = (example: Example): Example => ({
    ...example,
    extra: alertMarks(example.text, findCues(cues, example.text), findPersonalData(example.text)),
    weight: (example.weight ?? 1) * (example.label === 'none' ? 1 : ALERT_WEIGHT),
  })
  const held = readLines<Labelled>('regression/alerts.jsonl')
  const examples = withLessons(readLines<Example>('alerts.jsonl'), verdicts, held)
  const own = new Set([...examples, ...held].map(({ text }) => text))
  const others = ordinary.filter(({ text }) => !own.has(text))
  return {
    name: '提醒',
    file: 'message-alerts.json',
    options: ALERT_OPTIONS,
    examples: examples.map(marked),
    always: [
      ...others.map(({ text }) => ({ ...marked({ text, label: 'none' }), weight: ORDINARY_WEIGHT })),
      ...readPhrases('alert-phrases.json').map(marked),
    ],
    held,
    guesserFor: file => {
      const finder = loadAlertFinder(policy, loadLinearModel(file))
      return text => ({ label: findAlerts(text, finder)[0]?.kind ?? 'none', confidence: 1 })
    },
  }
}

/** Guesses every example by a model that has not seen it. */
function crossValidate({ examples, always, options, guesserFor }: Task): void {
  const mixed = shuffled(examples, seededRandom(5))
  const guesses = new Map<string, { label: string; confidence: number }>()
  for (let fold = 0; fold < FOLDS; fold++) {
    const seen = mixed.filter((_, place) => place % FOLDS !== fold)
    const guess = guesserFor(trainModel([...seen, ...always], options))
    for (const { text } of mixed.filter((_, place) => place % FOLDS === fold)) guesses.set(text, guess(text))
  }
  show(
    `${FOLDS} 折交叉验证，${mixed.length} 句`,
    measure(mixed, text => guesses.get(text)?.label ?? ''),
  )
  if (options.labels.includes('none')) return
  console.log('  把握\t句数\t答对')
  const answers = mixed.map(({ text, label }) => {
    const guess = guesses.get(text)
    return { confidence: guess?.confidence ?? 0, right: guess?.label === label }
  })
  for (const { count, confidence, right } of reliability(answers)) {
    console.log(`  ${percent(confidence)}\t${count}\t${percent(right)}`)
  }
}

function show(title: string, { scores, macro }: Measured): void {
  console.log(`  ${title}: macro-F1 ${percent(macro)}`)
  for (const [label, { precision, recall, f1 }] of scores) {
    console.log(`    ${label}\t准 ${percent(precision)}  全 ${percent(recall)}  F1 ${percent(f1)}`)
  }
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`
}

/** Whether the new model does at least as well on the regression set as the one in use; says what got lost. */
function isNoWorse(task: Task, fresh: ModelFile): boolean {
  const measured = (file: ModelFile): Measured => {
    const guess = task.guesserFor(file)
    return measure(task.held, text => guess(text).label)
  }
  const after = measured(fresh)
  show(`回归集 ${task.held.length} 句，新模型`, after)
  const inUse = path.join(root, 'templates/models', task.file)
  if (!fs.existsSync(inUse)) return true
  const before = measured(readJson<ModelFile>(inUse))
  const loss = lossOf(before, after)
  if (loss === null) return true
  console.error(
    `  新模型更差，不写入：macro-F1 ${percent(before.macro)} → ${percent(after.macro)}，差 ${percent(loss.points)}。新答错的：`,
  )
  for (const { item, guessed } of loss.newlyWrong) {
    console.error(`    ${item.label} 判成 ${guessed}：${item.text}`)
  }
  return false
}

function write(folder: string, name: string, file: ModelFile): void {
  fs.mkdirSync(folder, { recursive: true })
  const text = `${JSON.stringify(file)}\n`
  fs.writeFileSync(path.join(folder, name), text)
  console.log(
    `  ${path.relative(root, path.join(folder, name))}: ${file.features.split('\n').length} 个特征，${text.length} 字节`,
  )
}

function main(): number {
  const { values } = parseArgs({
    options: {
      corrections: { type: 'string' },
      verdicts: { type: 'string' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string', default: path.join(root, 'templates/models') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const categories = categoryTask(values.corrections ? readCorrections(values.corrections) : [])
  const verdicts = values.verdicts ? readVerdicts(values.verdicts) : []
  const fresh: { file: string; model: ModelFile }[] = []
  let worse = 0
  for (const task of [categories, alertTask(categories.examples, verdicts)]) {
    console.log(`\n${task.name}: ${task.examples.length} 句，另有句式展开等 ${task.always.length} 句`)
    if (!values.quick) crossValidate(task)
    const model = trainModel([...task.examples, ...task.always], task.options)
    if (isNoWorse(task, model)) fresh.push({ file: task.file, model })
    else worse += 1
  }
  for (const { file, model } of fresh) write(values.out, file, model)
  return worse > 0 ? 1 : 0
}

try {
  process.exitCode = main()
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
  process.exitCode = 2
}
