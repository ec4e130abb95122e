/** Sorts messages into the five columns and finds alerts: JSON lines in, JSON lines out. */
import { once } from 'node:events'
import { findAlerts } from '../server/domain/messages/alerts.ts'
import { classifyMessage } from '../server/domain/messages/classify.ts'
import { shippedClassifier } from '../server/domain/messages/shipped.ts'

const HELP = `用法: node scripts/classify-messages.ts < 消息.jsonl > 结果.jsonl

输入: 每行一个 JSON 对象，至少含 "id"（文字或数字）和 "text"（文字），其余字段不看。
输出: 每行一个结果 {"id","category","confidence","alerts":[…],"because":[…]}
  category    政策法规 致富信息 新闻娱乐 便民服务 其他
  confidence  0 到 1
  alerts      safety（有人遇险） privacy（隐私） secret（涉密），最要紧的在前，没有则为空
  because     起作用的词
有问题的行不输出结果，行号和原因写到标准错误，其余各行照常处理，最后以 2 退出。
`
interface Message {
  id: string | number
  text: string
}

/** The message of a line, or what is wrong with the line. */
function parseMessage(line: string): Message | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return '不是有效的 JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '不是 JSON 对象'
  const { id, text } = value as { id?: unknown; text?: unknown }
  if (typeof id !== 'string' && typeof id !== 'number') return '缺少 "id"（应为文字或数字）'
  if (typeof text !== 'string') return '缺少 "text"（应为文字）'
  return { id, text }
}

function answer({ id, text }: Message): string {
  const { category, confidence, because } = classifyMessage(shippedClassifier(), text)
  const alerts = findAlerts(text)
  const reasons = [...because, ...alerts.map(alert => alert.because)]
  return JSON.stringify({
    id,
    category,
    confidence,
    alerts: alerts.map(({ kind }) => kind),
    because: reasons,
  })
}

/** Lines of a stream, several at a time: one promise a line would cost more than sorting a message. */
async function* batchesOfLines(input: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield lines
  }
  yield [rest]
}

async function main(): Promise<number> {
  let number = 0
  let bad = 0
  for await (const lines of batchesOfLines(process.stdin.setEncoding('utf8'))) {
    let answers = ''
    for (const line of lines) {
      number += 1
      const bare = number === 1 ? line.replace(/^\uFEFF/, '') : line
      if (bare.trim() === '') continue
      const message = parseMessage(bare)
      if (typeof message === 'string') {
        bad += 1
        console.error(`第 ${number} 行: ${message}`)
      } else {
        answers += `${answer(message)}\n`
      }
    }
    if (!process.stdout.write(answers)) await once(process.stdout, 'drain')
  }
  if (bad > 0) console.error(`共 ${bad} 行有问题，未处理。`)
  return bad > 0 ? 2 : 0
}

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(HELP)
} else if (process.argv.length > 2) {
  console.error(`不认识的参数: ${process.argv[2]}\n\n${HELP}`)
  process.exitCode = 2
} else {
  process.exitCode = await main()
}
