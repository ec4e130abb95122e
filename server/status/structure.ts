/** One field of something that came in: what it is called and how much it holds, not what. */
export interface FieldShape {
  /** With what it lies in, such as `selected.0.options`. */
  name: string
  words: string
}

/** Fields that hold nothing of a person: which of the platform's own words they take is shown. */
const plain = new Set([
  'kind',
  'channel',
  'addressSpace',
  'mediaType',
  'change',
  'how',
  'event',
  'state',
  'job',
  'result',
])
const PLAIN_VALUE = /^[\w./:-]{1,60}$/
const NAME = /^[\w.$-]{1,40}$/
const MOST_FIELDS = 60

/**
 * What an update is made of: the names of its fields with their kinds and lengths. An administrator mends the server with
 * it, and has no right to people's words.
 * @param payload the update as JSON
 */
export function shapeOf(payload: string): FieldShape[] {
  let update: unknown
  try {
    update = JSON.parse(payload)
  } catch {
    return [{ name: '（整体）', words: `不是 JSON，${payload.length} 个字符` }]
  }
  const found: FieldShape[] = []
  const isUnknown = record(update).kind === 'unknown'
  walk(update, '', found, isUnknown)
  return found.slice(0, MOST_FIELDS)
}

function walk(value: unknown, name: string, found: FieldShape[], isUnknown: boolean): void {
  if (Array.isArray(value)) {
    found.push({ name, words: `列表，${value.length} 项` })
    if (typeof value[0] === 'object') walk(value[0], `${name}.0`, found, isUnknown)
    return
  }
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value))
      walk(
        inner,
        [name, NAME.test(key) ? key : '（名称不寻常）'].filter(part => part !== '').join('.'),
        found,
        isUnknown,
      )
    return
  }
  found.push({ name, words: wordsFor(name, value, isUnknown) })
  // the platform's own document: what it is made of tells the developers what is new
  if (isUnknown && name === 'body' && typeof value === 'string') found.push(...shapeOfBody(value))
}

function wordsFor(name: string, value: unknown, isUnknown: boolean): string {
  if (value === null) return '空'
  if (typeof value === 'boolean') return value ? '是' : '否'
  if (typeof value === 'number') return '数字'
  const text = String(value)
  const isPlain = plain.has(name) || (isUnknown && name === 'name')
  if (isPlain && PLAIN_VALUE.test(text)) return text
  if (name === 'at' || name === 'effectAt') return '时间'
  return text === '' ? '空文字' : `文字，${[...text].length} 个字符（内容不显示）`
}

function shapeOfBody(body: string): FieldShape[] {
  const elements = [...body.matchAll(/<([\w.-]{1,40})>(?:<!\[CDATA\[([\s\S]*?)\]\]>|([^<]*))<\/\1>/g)]
  return elements.map(([, name, cdata, text]) => ({
    name: `body.${name}`,
    words: `${[...(cdata ?? text ?? '')].length} 个字符`,
  }))
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
