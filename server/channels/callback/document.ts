import type { Fields } from './fields.ts'
import { isJson, readJson } from './json.ts'
import { readXml } from './xml.ts'

/** A platform's console decides whether it is pushed XML or JSON: the body itself says which. @throws ChannelError `malformed` */
export function readDocument(body: string): Fields {
  return isJson(body) ? readJson(body) : readXml(body)
}
