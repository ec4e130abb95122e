import { gzipSync } from 'node:zlib'
import type { Chance } from '../demo/chance.ts'
import { injured, randomBytesOf } from './bytes.ts'
import { oddText } from './odd-values.ts'
import { type Sample, toJson, written } from './samples.ts'
import { strangeFields } from './strange-fields.ts'
import { strangeJson } from './strange-json.ts'
import { strangeXml } from './strange-xml.ts'

/** What a platform with a bad day might sign and send. */
export interface StrangeBody {
  what: string
  body: Buffer
}

/** The largest body that still fits through the door when it is encrypted and in base64. */
const HUGE_BYTES = 180_000

/** A body as the platform sends it or, mostly, one that it never would. */
export function strangeBody(sample: Sample, isJson: boolean, mark: string, luck: Chance): StrangeBody {
  const draw = luck.next()
  const text = written(sample, isJson)
  if (draw < 0.2) return { what: `as it is: ${sample.name}`, body: Buffer.from(text) }
  if (draw < 0.45) {
    const { what, fields } = strangeFields(sample.fields, luck)
    return {
      what: `${sample.name}, ${what}`,
      body: fitting(written({ name: '', fields }, isJson)),
    }
  }
  if (draw < 0.7) {
    const { what, text: changed } = (isJson ? strangeJson : strangeXml)(text, luck)
    return { what: `${sample.name}, ${what}`, body: fitting(changed) }
  }
  if (draw < 0.93) return { what: `${sample.name}, injured`, body: injured(Buffer.from(text), luck) }
  if (draw < 0.933) return { what: `${sample.name}, huge`, body: Buffer.from(huge(text, isJson, luck)) }
  return { what: 'something else', body: somethingElse(sample, isJson, mark, luck) }
}

function fitting(text: string): Buffer {
  const bytes = Buffer.from(text)
  return bytes.length > HUGE_BYTES ? bytes.subarray(0, HUGE_BYTES) : bytes
}

function huge(text: string, isJson: boolean, luck: Chance): string {
  const filler = luck.pick(['a', '字', '<a>', '&amp;', '9', ' '])
  const long = filler.repeat(Math.floor(luck.between(60_000, HUGE_BYTES - 5000) / Buffer.byteLength(filler)))
  return isJson
    ? text.replace('{', () => `{"Content":${JSON.stringify(long)},`)
    : text.replace('><', () => `><Content><![CDATA[${long}]]></Content><`)
}

/** No callback at all; `mark` keeps two of them apart. */
function somethingElse(sample: Sample, isJson: boolean, mark: string, luck: Chance): Buffer {
  const other = isJson ? written(sample, false) : toJson(sample.fields)
  return luck.pick([
    () => Buffer.from(mark),
    () => Buffer.from(`${' '.repeat(luck.between(1, 50))}${mark}`),
    () => Buffer.from(other),
    () => Buffer.from(`<!DOCTYPE html><html><body>${mark}<br></body></html>`),
    () => Buffer.from(`<xml>${mark}</xml>`),
    () => Buffer.from(`<xml><MsgId>${mark}</MsgId></xml>`),
    () => Buffer.from(`MsgType=text&Content=${mark}`),
    () => Buffer.from(other, 'utf16le'),
    () => gzipSync(other),
    () => Buffer.concat([Buffer.from(mark), randomBytesOf(luck, luck.between(1, 300))]),
    () => Buffer.from(oddText(luck) + mark),
    () => Buffer.from(`${mark}${'<'.repeat(luck.between(1, 2000))}`),
  ])()
}
