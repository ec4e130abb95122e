/** UTF-8 bytes of a text: the platforms' limits are in bytes, three for a Chinese character. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

/** UTF-8 bytes of text that one message holds, by what carries it. Beyond it the platforms cut without a word, or refuse. */
export const textLimits = {
  /** @see https://developer.work.weixin.qq.com/document/path/90236 */
  appMessage: 2048,
  /** @see https://developer.work.weixin.qq.com/document/path/90248 */
  appchat: 2048,
  /** @see https://developer.work.weixin.qq.com/document/path/99110 */
  robot: 2048,
  /** @see https://developer.work.weixin.qq.com/document/path/92135 */
  mass: 4000,
  /** @see https://developer.work.weixin.qq.com/document/path/92137 */
  welcome: 4000,
  /** @see https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage.html */
  customerService: 2048,
} as const

/** What stands at the end of anything that was shortened. */
export const ELLIPSIS = '…'

/**
 * Splits a text into parts of at most `maxBytes` UTF-8 bytes: at the end of a line or sentence where there is one,
 * otherwise between words, never within a character. Nothing is lost but the white space at the cuts.
 */
export function splitText(text: string, maxBytes: number): string[] {
  const parts: string[] = []
  let rest = text.trim()
  while (textBytes(rest) > maxBytes) {
    const cut = cutBefore(rest, maxBytes)
    parts.push(rest.slice(0, cut).trimEnd())
    rest = rest.slice(cut).trimStart()
  }
  if (rest !== '' || parts.length === 0) parts.push(rest)
  return parts
}

/** The beginning of a text that is too long, with 「…」 at its end: at most `maxBytes` in all. A text that fits stays. */
export function shortenText(text: string, maxBytes: number): string {
  if (textBytes(text) <= maxBytes) return text
  const room = maxBytes - textBytes(ELLIPSIS)
  return `${text.slice(0, cutBefore(text, room)).trimEnd()}${ELLIPSIS}`
}

const segmenter = new Intl.Segmenter('zh', { granularity: 'grapheme' })

function cutBefore(text: string, maxBytes: number): number {
  let bytes = 0
  let end = 0
  let sentenceEnd = 0
  let wordEnd = 0
  let before = ''
  for (const { segment, index } of segmenter.segment(text)) {
    // what closes a sentence belongs to it: 他说：“好。”
    const closes = /^[”’」』）】》"')\]]$/.test(segment) && sentenceEnd === index && index > 0
    if (!isWord(before) || !isWord(segment)) wordEnd = index
    if (/^\s/.test(segment) && /^[!?;.]$/.test(before)) sentenceEnd = index
    bytes += textBytes(segment)
    if (bytes > maxBytes) break
    end = index + segment.length
    if (closes || /[\n。！？；]/.test(segment)) sentenceEnd = end
    before = segment
  }
  // a cut at a better place is better only while it does not leave a short stump
  if (sentenceEnd > end / 2) return sentenceEnd
  // nobody can tap half a link or call half a number; a word that fits no message is cut all the same
  if (wordEnd > 0 && wordLength(text, wordEnd) <= maxBytes) return wordEnd
  return end > 0 ? end : cutWithinCharacter(text, maxBytes)
}

/** A character of a word, a number or an address. */
function isWord(segment: string): boolean {
  return /^[\x21-\x7e]$/.test(segment)
}

/** Bytes of the word, number or address that begins here. */
function wordLength(text: string, from: number): number {
  const word = /[\x21-\x7e]*/y
  word.lastIndex = from
  return word.exec(text)?.[0].length ?? 0
}

/** A character with a heap of combining marks can be longer than a message: then only code points hold together. */
function cutWithinCharacter(text: string, maxBytes: number): number {
  let bytes = 0
  let end = 0
  for (const codePoint of text) {
    bytes += textBytes(codePoint)
    if (bytes > maxBytes && end > 0) break
    end += codePoint.length
  }
  return end
}

/**
 * A text as it may go into a request: without control characters and halves of characters, for which JSON has only
 * `\uXXXX` (WeCom refuses that, 40033), and without anything that a client would take for a tag: app messages and
 * customer-service messages show `<a href>` as a link, and what people write must not become one.
 */
export function plainText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\t\n])[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '')
    .replace(/<(?=\s*\/?\s*[a-z@!])/gi, '＜')
}

const markdownSigns: Record<string, string> = {
  '*': '＊',
  _: '＿',
  '`': '｀',
  '~': '～',
  '#': '＃',
  '[': '［',
  ']': '］',
  '(': '（',
  ')': '）',
  '<': '＜',
  '>': '＞',
  '|': '｜',
  '!': '！',
  '\\': '＼',
}

/**
 * A name or somebody's words within Markdown: signs that mean something become their wide forms, since WeCom's Markdown
 * knows no backslash, and line ends become spaces.
 * @see https://developer.work.weixin.qq.com/document/path/90236
 */
export function inMarkdown(text: string): string {
  return plainText(text)
    .replace(/[*_`~#[\]()<>|!\\]/g, sign => markdownSigns[sign] as string)
    .replace(/\s+/g, ' ')
    .trim()
}
