/**
 * Trains the two message models from `templates/training` and writes them to `templates/models`.
 * The dev samples in `test/fixtures/eval` are for measuring only and are never read here.
 *
 *     node scripts/train-classifier.ts            cross-validates, then writes
 *     node scripts/train-classifier.ts --quick    writes without cross-validation
 */
import fs from 'node:fs'
import path from 'node:path'
import { type AlertPolicy, alertMarks, compileCues, findCues } from '../server/domain/messages/alert-cues.ts'
import { findAlerts, loadAlertFinder } from '../server/domain/messages/alerts.ts'
import { CATEGORIES } from '../server/domain/messages/categories.ts'
import { classifyMessage, loadClassifier } from '../server/domain/messages/classify.ts'
import type { ModelFile } from '../server/domain/messages/linear-model.ts'
import { findPersonalData } from '../server/domain/messages/personal-data.ts'
import {
  type Example,
  seededRandom,
  shuffled,
  type TrainingOptions,
  trainModel,
} from './training/logistic.ts'
import { expandPhrases, type PhraseFile } from './training/phrases.ts'

const FOLDS = 5
const ALERT_LABELS = ['safety', 'privacy', 'secret', 'none']
const root = path.resolve(import.meta.dirname, '..')

const CATEGORY_OPTIONS: TrainingOptions = {
  labels: CATEGORIES,
  classes: readJson<{ classes: Record<string, string[]> }>('templates/training/word-classes.json').classes,
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
  classes: readJson<{ classes: Record<string, string[]> }>('templates/training/alert-word-classes.json')
    .classes,
}
/** An alert missed costs more than one too many; ordinary messages outnumber alerts and need less weight each. */
const ALERT_WEIGHT = 2
const ORDINARY_WEIGHT = 0.5

function readJson<T>(name: string): T {
  return JSON.parse(fs.readFileSync(path.join(root, name), 'utf8')) as T
}

function readExamples(name: string): Example[] {
  const file = path.join(root, 'templates/training', name)
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  return lines.filter(line => line.trim() !== '').map(line => JSON.parse(line) as Example)
}

interface Tally {
  hit: number
  extra: number
  missed: number
}

function report(
  title: string,
  labels: readonly string[],
  pairs: readonly (readonly [string, string])[],
): void {
  const tallies = new Map<string, Tally>(labels.map(label => [label, { hit: 0, extra: 0, missed: 0 }]))
  for (const [gold, guess] of pairs) {
    if (gold === guess) tally(tallies, gold).hit += 1
    else {
      tally(tallies, gold).missed += 1
      tally(tallies, guess).extra += 1
    }
  }
  console.log(`\n${title}: ${pairs.length} messages, ${FOLDS}-fold cross-validation`)
  let sum = 0
  for (const [label, { hit, extra, missed }] of tallies) {
    const precision = hit / Math.max(1, hit + extra)
    const recall = hit / Math.max(1, hit + missed)
    const f1 = (2 * precision * recall) / Math.max(1e-9, precision + recall)
    sum += f1
    console.log(`  ${label}\tprecision ${percent(precision)}  recall ${percent(recall)}  F1 ${percent(f1)}`)
  }
  console.log(`  macro-F1 ${percent(sum / labels.length)}`)
}

function tally(tallies: Map<string, Tally>, label: string): Tally {
  const found = tallies.get(label)
  if (!found) throw new Error(`unknown label: ${label}`)
  return found
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`
}

/** Guesses every example by a model that has not seen it. */
function crossValidate(
  examples: readonly Example[],
  always: readonly Example[],
  options: TrainingOptions,
  guesserFor: (file: ModelFile) => (text: string) => string,
): [string, string][] {
  const mixed = shuffled(examples, seededRandom(5))
  const pairs: [string, string][] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const seen = mixed.filter((_, place) => place % FOLDS !== fold)
    const guess = guesserFor(trainModel([...seen, ...always], options))
    for (const [place, example] of mixed.entries()) {
      if (place % FOLDS === fold) pairs.push([example.label, guess(example.text)])
    }
  }
  return pairs
}

function write(name: string, file: ModelFile): void {
  const target = path.join(root, 'templates/models', name)
  const text = `${JSON.stringify(file)}\n`
  fs.writeFileSync(target, text)
  console.log(
    `${path.relative(root, target)}: ${file.features.split('\n').length} features, ${text.length} bytes`,
  )
}

function main(quick: boolean): void {
  const categories = readExamples('categories.jsonl')
  const phrases = expandPhrases(readJson<PhraseFile>('templates/training/phrases.json'))
  if (!quick) {
    const pairs = crossValidate(categories, phrases, CATEGORY_OPTIONS, file => {
      const classifier = loadClassifier(file)
      return text => classifyMessage(classifier, text).category
    })
    report('categories', CATEGORIES, pairs)
  }
  const policy = readJson<AlertPolicy>('templates/policies/alerts.json')
  const cues = compileCues(policy)
  const marked = (example: Example): Example => ({
    ...example,
    extra: alertMarks(example.text, findCues(cues, example.text), findPersonalData(example.text)),
    weight: (example.weight ?? 1) * (example.label === 'none' ? 1 : ALERT_WEIGHT),
  })
  const alerts = readExamples('alerts.jsonl').map(marked)
  const ordinary = categories.map(example => ({ ...marked(example), label: 'none', weight: ORDINARY_WEIGHT }))
  const alertPhrases = expandPhrases(readJson<PhraseFile>('templates/training/alert-phrases.json')).map(
    marked,
  )
  const always = [...ordinary, ...alertPhrases]
  if (!quick) {
    const pairs = crossValidate(alerts, always, ALERT_OPTIONS, file => {
      const finder = loadAlertFinder(policy, file)
      return text => findAlerts(text, finder)[0]?.kind ?? 'none'
    })
    report('alerts', ALERT_LABELS, pairs)
  }
  fs.mkdirSync(path.join(root, 'templates/models'), { recursive: true })
  write('message-categories.json', trainModel([...categories, ...phrases], CATEGORY_OPTIONS))
  write('message-alerts.json', trainModel([...alerts, ...always], ALERT_OPTIONS))
}

main(process.argv.includes('--quick'))
