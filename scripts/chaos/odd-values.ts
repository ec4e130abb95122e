import type { Chance } from '../demo/chance.ts'

/** Names that mean something to JavaScript, and to nobody here. */
export const prototypeNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
]

const oddTexts = [
  '',
  ' ',
  '0',
  '-1',
  '1e400',
  'NaN',
  'null',
  'undefined',
  'true',
  '18446744073709551615',
  '9007199254740993',
  '99999999999999999999999999',
  '0x10',
  '１２３',
  '253402300800',
  '999999999999',
  '000000000001',
  ']]>',
  ']]]]><![CDATA[>',
  '<![CDATA[x]]>',
  '<script>alert(1)</script>',
  '&amp;&lt;&#0;&#xD800;&nope;',
  "' or 1=1; drop table updates; --",
  '%s%n%00%2e%2e%2f',
  '../../../../etc/passwd',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what somebody might send
  '${jndi:ldap://127.0.0.1/a}',
  '\u0000',
  'a\u0000b',
  '\u0001\u0008\u001b[2J\u007f',
  '\ufeff',
  '\ufffe\uffff',
  '\u202eабв\u202c',
  '\u2028\u2029',
  '👨‍👩‍👧‍👦🏳️‍🌈',
  'e\u0301'.repeat(40),
  '﷽'.repeat(30),
  'sys',
  'event',
  'text',
  ...prototypeNames,
]

/** A value that no platform would send. */
export function oddText(luck: Chance): string {
  const draw = luck.next()
  if (draw < 0.02)
    return luck.pick(['字', 'a', '9', '<', '&', '\u0000', '\n']).repeat(luck.between(300, 5000))
  if (draw < 0.1) return String.fromCodePoint(luck.between(0, 0xd7ff), luck.between(0xe000, 0x10ffff))
  return luck.pick(oddTexts)
}
