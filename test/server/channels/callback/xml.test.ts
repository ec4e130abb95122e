import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseString } from 'xml2js'
import { toXml } from '../../../../scripts/simulator/xml.ts'
import {
  branch,
  type Fields,
  type FieldValue,
  field,
  fieldList,
} from '../../../../server/channels/callback/fields.ts'
import { readXml } from '../../../../server/channels/callback/xml.ts'
import { verdict } from '../envelopes.ts'

describe('a document', () => {
  test.each([
    ['CDATA', '<xml><A><![CDATA[x]]></A></xml>', 'x'],
    ['plain text', '<xml><A>x</A></xml>', 'x'],
    ['spaces around CDATA', '<xml>\n  <A> \n <![CDATA[x]]> \t</A>\n</xml>', 'x'],
    ['Windows line ends', '<xml>\r\n<A><![CDATA[x]]></A>\r\n</xml>\r\n', 'x'],
    ['a byte order mark', '\uFEFF<xml><A>x</A></xml>', 'x'],
    ['an XML declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<xml><A>x</A></xml>', 'x'],
    ['the five entities', '<xml><A>&lt;&gt;&amp;&quot;&apos;</A></xml>', '<>&"\''],
    ['a character reference', '<xml><A>&#20320;&#x597d;</A></xml>', '你好'],
    ['a number, which stays text', '<xml><A>4561255354251345929</A></xml>', '4561255354251345929'],
    ['leading zeros', '<xml><A>007</A></xml>', '007'],
    ['two CDATA in a row', '<xml><A><![CDATA[a]]]]><![CDATA[>b]]></A></xml>', 'a]]>b'],
    [
      'a document type that somebody wrote about',
      '<xml><A><![CDATA[<!DOCTYPE html> <!ENTITY> <!-- -->]]></A></xml>',
      '<!DOCTYPE html> <!ENTITY> <!-- -->',
    ],
    ['a CDATA start within CDATA', '<xml><A><![CDATA[<![CDATA[<!x]]></A></xml>', '<![CDATA[<!x'],
    ['70 000 characters', `<xml><A><![CDATA[${'长'.repeat(70_000)}]]></A></xml>`, '长'.repeat(70_000)],
    ['nothing', '<xml><A></A><B>1</B></xml>', ''],
    ['an empty CDATA', '<xml><A><![CDATA[]]></A><B>1</B></xml>', ''],
    ['a field that comes twice, which is no text', '<xml><A>1</A><A>2</A></xml>', ''],
    ['elements, which are no text', '<xml><A><B>1</B></A></xml>', ''],
    ['an attribute', '<xml a = "1"><A b="c>" d=\'"\'>1</A></xml>', '1'],
    ['comments', '<!-- a --><xml><!-- <A>0</A> & ]]> --><A>1<!----></A><!-- - -->\n</xml><!-- z -->', '1'],
    ['a comment that somebody wrote', '<xml><A><![CDATA[<!-- x -->]]></A></xml>', '<!-- x -->'],
    ['an instruction within', '<xml><?php <A>0</A> ?><A>1</A></xml>', '1'],
    ['an empty element', '<xml><A/><B>1</B></xml>', ''],
    ['an empty element with a space', '<xml><A /><B>1</B></xml>', ''],
    ['a space in the end tag', '<xml><A>1</A ></xml >', '1'],
    [
      'CDATA in several sections, with text between',
      '<xml><A><![CDATA[a]]> b <![CDATA[c]]></A></xml>',
      'a b c',
    ],
    ['entities within CDATA, which are none', '<xml><A><![CDATA[&lt;&#65;]]></A></xml>', '&lt;&#65;'],
    ['an entity made of an entity', '<xml><A>&amp;lt;</A></xml>', '&lt;'],
    ['a character beyond the first 65 536', '<xml><A>&#128077;&#x1F44D;</A></xml>', '👍👍'],
    ['text beside elements, which is skipped', '<xml>a<A>1</A>b</xml>', '1'],
    ['a root of another name', '<notify><A>1</A></notify>', '1'],
    ['white space before the declaration', '\n <?xml version="1.0"?><xml><A>1</A></xml>', '1'],
  ])('with %s', (_name, source, expected) => {
    expect(field(readXml(source), 'A')).toBe(expected)
  })

  const laughs = `<!DOCTYPE xml [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => `<!ENTITY a${i} "&a;&a;&a;">`).join('')}]>`
  test.each([
    ['nothing', ''],
    ['white space', ' \r\n\t '],
    ['text', 'hello'],
    ['JSON', '{"ToUserName":"x"}'],
    ['a form', 'a=1&b=2'],
    ['an element with text only', '<xml>hello</xml>'],
    ['an empty element', '<xml/>'],
    ['an element that does not end', '<xml><A>x</A>'],
    ['elements that cross', '<xml><A><B>x</A></B></xml>'],
    ['an end only', '</xml>'],
    ['CDATA that does not end', '<xml><A><![CDATA[x</A></xml>'],
    ['a document type', '<!DOCTYPE xml><xml><A>x</A></xml>'],
    ['a document type in small letters', '<!doctype xml><xml><A>x</A></xml>'],
    ['a document type behind CDATA', '<xml><A><![CDATA[x]]></A><!DOCTYPE xml></xml>'],
    ['an outside entity', '<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><A>&f;</A></xml>'],
    ['a billion laughs', `${laughs}<xml><A>&a19;</A></xml>`],
    ['an entity that nobody declared', '<xml><A>&laughs;</A></xml>'],
    ['an entity within', '<xml><!ENTITY a "b"><A>x</A></xml>'],
    ['a comment that hides the start of CDATA', '<!-- <![CDATA[ --><!DOCTYPE xml><xml><A>x</A></xml>'],
    ['a bare ampersand', '<xml><A>a & b</A></xml>'],
    ['binary', '\u0000\u0001\u0002'],
    ['an unknown character reference', '<xml><A>&#xD800;</A></xml>'],
    ['a reference to no character', '<xml><A>&#1114112;</A></xml>'],
    ['a reference to NUL', '<xml><A>&#0;</A></xml>'],
    ['a reference with a fraction', '<xml><A>&#1.5;</A></xml>'],
    ['an endless reference', `<xml><A>&#${'0'.repeat(50)}65;</A></xml>`],
    ['two roots', '<xml><A>1</A></xml><xml><A>1</A></xml>'],
    ['text behind the root', '<xml><A>1</A></xml>x'],
    ['an attribute without a value', '<xml><A b>1</A></xml>'],
    ['an attribute without quotes', '<xml><A b=1>1</A></xml>'],
    ['an attribute that does not end', '<xml><A b="1>1</A></xml>'],
    ['a start tag that does not end', '<xml><A'],
    ['an end tag that does not end', '<xml><A>1</A'],
    ['a comment that does not end', '<xml><A>1</A><!-- </xml>'],
    ['a comment of one dash too few', '<xml><!--><A>1</A></xml>'],
    ['a name that begins with a digit', '<xml><1>1</1></xml>'],
    ['an end tag that only begins alike', '<xml><A>1</AB></xml>'],
    ['nested 17 deep', `${'<a>'.repeat(17)}1${'</a>'.repeat(17)}`],
    ['nested 30 000 deep', `<xml>${'<a>'.repeat(30_000)}${'</a>'.repeat(30_000)}</xml>`],
    ['start tags without end', '<a>'.repeat(80_000)],
    ['ampersands without end', `<xml><A>${'&'.repeat(200_000)}</A></xml>`],
    ['CDATA starts without end', `<xml><A>${'<![CDATA['.repeat(20_000)}</A></xml>`],
    ['spaces without end', `<xml><A${' '.repeat(200_000)}`],
  ])('is refused as %s', (_name, source) => {
    expect(verdict(() => readXml(source))).toBe('malformed')
  })

  test('sixteen levels are read', () => {
    const fields = readXml(`${'<a>'.repeat(15)}<b>1</b>${'</a>'.repeat(15)}`)
    let innermost: Fields = fields
    for (let level = 1; level < 15; level++) innermost = branch(innermost, 'a')
    expect(field(innermost, 'b')).toBe('1')
  })

  test('20 000 fields of one name are a list', () => {
    expect(fieldList(readXml(`<xml>${'<a>1</a>'.repeat(20_000)}</xml>`), 'a')).toHaveLength(20_000)
  })

  test("names like an object's own are names like any other", () => {
    const fields = readXml(
      '<xml><__proto__><A>1</A></__proto__><constructor>2</constructor><toString>3</toString></xml>',
    )
    expect(field(branch(fields, '__proto__'), 'A')).toBe('1')
    expect(field(fields, 'constructor')).toBe('2')
    expect(field(fields, 'toString')).toBe('3')
    expect(field(fields, 'hasOwnProperty')).toBe('')
    expect(({} as Record<string, unknown>).A).toBeUndefined()
  })

  test('never fails in another way, whatever comes', () => {
    const piece = fc.constantFrom(
      '<xml>',
      '</xml>',
      '<A>',
      '</A>',
      '<![CDATA[',
      ']]>',
      '<!',
      '<?',
      '?>',
      '&',
      ';',
      'x',
      '<_>',
      '</_>',
      '"',
      '=',
      '\uFEFF',
      '\u0000',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), pieces => {
        expect(['taken', 'malformed']).toContain(verdict(() => readXml(`<xml>${pieces.join('')}</xml>`)))
        expect(['taken', 'malformed']).toContain(verdict(() => readXml(pieces.join(''))))
      }),
      { numRuns: 2000 },
    )
  })
})

/** The same tree as plain objects, to be compared with what xml2js makes. */
function plain(value: FieldValue | undefined): unknown {
  if (Array.isArray(value)) return value.map(plain)
  return value instanceof Map
    ? Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]))
    : value
}

function readByXml2js(source: string): unknown {
  let fields: unknown
  parseString(
    source,
    { explicitArray: false, explicitRoot: false, trim: true, ignoreAttrs: true },
    (error, result) => {
      if (error) throw error
      fields = result
    },
  )
  return fields
}

/** It trims every text but one that is nothing but white space. */
function trimmed(value: unknown): unknown {
  if (typeof value === 'string') return value.trim()
  if (Array.isArray(value)) return value.map(trimmed)
  return Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, trimmed(each)]))
}

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/).filter(text => !/^(_|__proto__)$/.test(text))
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom(
    '',
    ' ',
    ']]>',
    '<![CDATA[',
    '&amp;',
    '<!DOCTYPE a>',
    '</xml>',
    '4561255354251345929',
    '\r\n',
  ),
)
type Tree = { [name: string]: string | Tree | (string | Tree)[] }
const { tree } = fc.letrec<{ tree: Tree; value: string | Tree }>(tie => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, text, tie('tree')),
  tree: fc.dictionary(name, fc.oneof(tie('value'), fc.array(tie('value'), { minLength: 2, maxLength: 3 })), {
    minKeys: 1,
    maxKeys: 5,
  }) as fc.Arbitrary<Tree>,
}))

/** Ways to write a text: all as CDATA, all escaped, or the one behind the other. */
const writings: ((text: string) => string)[] = [
  text => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`,
  text =>
    text
      .replace(/[<>&]/g, character => `&#${character.charCodeAt(0)};`)
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&apos;'),
]

function write(tree: Tree, space: string, choose: () => number): string {
  const element = (tag: string, value: string | Tree): string => {
    const inner =
      typeof value === 'string'
        ? space + (writings[choose() % 2] as (text: string) => string)(value) + space
        : write(value, space, choose)
    return `<${tag}>${inner}</${tag}>${space}`
  }
  return (
    space +
    Object.entries(tree)
      .flatMap(([tag, value]) => (Array.isArray(value) ? value : [value]).map(each => element(tag, each)))
      .join('')
  )
}

describe('of any tree of fields', () => {
  test('xml2js reads the same, however it is written', () => {
    fc.assert(
      fc.property(
        tree,
        fc.constantFrom('', '\n', '\r\n  ', '<!-- & -->', '<?pi <a> ?>'),
        fc.array(fc.nat(), { minLength: 1 }),
        (fields, space, choices) => {
          let at = 0
          const choose = () => choices[at++ % choices.length] as number
          const source = `\uFEFF<?xml version="1.0" encoding="UTF-8"?><xml>${write(fields, space, choose)}</xml>`
          expect(plain(readXml(source))).toEqual(trimmed(readByXml2js(source)))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('what the platform writes comes back, but for white space around a text', () => {
    fc.assert(
      fc.property(fc.dictionary(name, text, { minKeys: 1 }), fields => {
        expect(plain(readXml(toXml(fields)))).toEqual(
          Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value.trim()])),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('half of it is refused, wherever it is cut', () => {
    const source = toXml({ A: 'a]]>b', B: { C: ['1', '2'] }, D: 3 })
    for (let end = 0; end < source.length; end++)
      expect(verdict(() => readXml(source.slice(0, end)))).toBe('malformed')
  })
})
