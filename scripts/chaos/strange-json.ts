import type { Chance } from '../demo/chance.ts'
import { oddText, prototypeNames } from './odd-values.ts'

/** Something odd about how JSON is written, be it still readable or not. */
export function strangeJson(json: string, luck: Chance): { what: string; text: string } {
  const change = luck.pick(changes)
  return { what: change.name, text: change(json, luck) }
}

type Change = (json: string, luck: Chance) => string

/** Adds a member in front of the others. */
function withMember(json: string, name: string, value: string): string {
  return json.replace('{', () => `{${JSON.stringify(name)}:${value},`)
}

const changes: readonly Change[] = [
  function byteOrderMark(json) {
    return `\ufeff${json}`
  },
  function whiteSpace(json) {
    return `\r\n\t ${json.replaceAll(',"', ' ,\r\n "')} \n`
  },
  function prototypeMembers(json, luck) {
    return withMember(json, luck.pick(prototypeNames), '{"isAdmin":true,"msgtype":"text"}')
  },
  function prototypeEscaped(json) {
    return json.replace('{', '{"__proto\\u005f_":{"isAdmin":true},')
  },
  function repeatedMember(json, luck) {
    const member = luck.pick(['msgtype', 'msgid', 'from', 'MsgType', 'MsgId', 'FromUserName', 'text'])
    return withMember(json, member, luck.pick(['""', '1', 'null', '[]', '{}', '"x"', 'true']))
  },
  function deepArrays(json, luck) {
    const depth = luck.pick([5, 15, 17, 500, 5000])
    return withMember(json, 'deep', '['.repeat(depth) + ']'.repeat(depth))
  },
  function deepObjects(json, luck) {
    const depth = luck.pick([5, 15, 17, 500, 5000])
    return withMember(json, 'deep', `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
  },
  function unclosed(json, luck) {
    return '['.repeat(luck.pick([1, 100, 10_000])) + json
  },
  function wideArray(json, luck) {
    return withMember(json, 'wide', `[${'1,'.repeat(luck.pick([100, 3000]))}1]`)
  },
  function numbers(json, luck) {
    const number = luck.pick([
      '1e400',
      '-0',
      '1e-400',
      '18446744073709551616',
      '0.1',
      '01',
      '+1',
      '0x1',
      'NaN',
    ])
    return withMember(json, luck.pick(['create_time', 'CreateTime', 'msgid', 'MsgId']), number)
  },
  function halfSurrogates(json) {
    return json.replace(/:"([^"]*)"/, ':"\\ud800$1\\udc00\\u0000\\ud800"')
  },
  function escapes(json) {
    return json.replace(/"(\w)(\w*)":/, (_, first: string, rest: string) => {
      return `"\\u00${first.charCodeAt(0).toString(16)}${rest}":`
    })
  },
  function badEscapes(json, luck) {
    return json.replace(/:"/, `:"${luck.pick(['\\x41', '\\u12', '\\', '\n', '\t', '\u0000', '\u2028'])}`)
  },
  function trailingComma(json) {
    return json.replace(/\}$/, ',}')
  },
  function comments(json) {
    return json.replace('{', '{/* a comment */')
  },
  function singleQuotes(json) {
    return json.replaceAll('"', "'")
  },
  function notAnObject(json, luck) {
    return luck.pick(['[]', 'null', '1', '"x"', 'true', `[${json}]`, JSON.stringify(json), '{}', '{'])
  },
  function twoObjects(json) {
    return json + json
  },
  function tail(json, luck) {
    return json + luck.pick([' ', '\u0000', '}', ';', oddText(luck)])
  },
  function xmlInstead(json) {
    return `<xml><Content><![CDATA[${json}]]></Content></xml>`
  },
]
