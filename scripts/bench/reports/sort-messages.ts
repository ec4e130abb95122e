import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { classifyMessage } from '../../../server/domain/messages/classify.ts'
import { shippedClassifier } from '../../../server/domain/messages/shipped.ts'
import { median } from '../statistics.ts'

const root = join(import.meta.dirname, '../../..')
const MESSAGES = 20_000

export interface SortedMessages {
  /** On one core, in this process. */
  perSecond: number
  /** From the start of a process to its first answer, in milliseconds. */
  startMs: number
}

/** Sorts messages that the classifier was not trained on as they are: those it learnt from, mixed with each other's ends. */
export async function sortMessages(rounds: number): Promise<SortedMessages> {
  const lines = readFileSync(join(root, 'templates/training/categories.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
  const texts = lines.map(line => (JSON.parse(line) as { text: string }).text)
  const mixed = Array.from({ length: MESSAGES }, (_, at) => {
    const [one = '', other = ''] = [texts[at % texts.length], texts[(at * 7 + 3) % texts.length]]
    return `${one.slice(0, one.length / 2)}${other.slice(other.length / 2)}${at}`
  })
  const classifier = shippedClassifier()
  for (const text of mixed.slice(0, 2000)) classifyMessage(classifier, text)
  const speeds: number[] = []
  const starts: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    for (const text of mixed) classifyMessage(classifier, text)
    speeds.push((mixed.length * 1000) / (performance.now() - started))
    starts.push(await firstAnswer())
  }
  return { perSecond: median(speeds), startMs: median(starts) }
}

/** The command line as people start it, given one message. */
async function firstAnswer(): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, [join(root, 'scripts/classify-messages.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end('{"id":1,"text":"玉米种植补贴明天开始申报"}\n')
  let answer = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    answer += text
  })
  await once(child, 'close')
  if (!answer.includes('"category"')) throw new Error(`no answer: ${answer}`)
  return performance.now() - started
}
