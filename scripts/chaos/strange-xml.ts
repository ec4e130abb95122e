import type { Chance } from '../demo/chance.ts'
import { oddText, prototypeNames } from './odd-values.ts'

/** Something odd about how a document is written, be it still readable or not. */
export function strangeXml(xml: string, luck: Chance): { what: string; text: string } {
  const change = luck.pick(changes)
  return { what: change.name, text: change(xml, luck) }
}

type Change = (xml: string, luck: Chance) => string

/** Puts `what` in front of one of the closing tags. */
function within(xml: string, luck: Chance, what: string): string {
  const places = [...xml.matchAll(/<\//g)].map(found => found.index)
  const at = places.length === 0 ? xml.length : luck.pick(places)
  return xml.slice(0, at) + what + xml.slice(at)
}

/** Puts `what` between two elements of the root. */
function between(xml: string, what: string): string {
  return xml.replace('><', () => `>${what}<`)
}

const changes: readonly Change[] = [
  function prologue(xml) {
    return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n${xml}`
  },
  function byteOrderMark(xml) {
    return `\ufeff${xml}`
  },
  function lineEnds(xml) {
    return xml.replaceAll('><', '>\r\n\t <')
  },
  function spaceAroundCdata(xml) {
    return xml.replaceAll('<![CDATA[', ' \r\n<![CDATA[').replaceAll(']]>', ']]>\r\n ')
  },
  function withoutCdata(xml) {
    return xml.replaceAll('<![CDATA[', '').replaceAll(']]>', '')
  },
  function everythingInCdata(xml) {
    return xml.replace(/>(-?[\d.]+)</g, '><![CDATA[$1]]><')
  },
  function splitCdata(xml, luck) {
    return within(xml, luck, '<![CDATA[]]>]]&gt;<![CDATA[&amp;<a>]]>')
  },
  function openCdata(xml, luck) {
    return within(xml, luck, '<![CDATA[')
  },
  function cdataEnd(xml, luck) {
    return within(xml, luck, ']]>')
  },
  function comment(xml, luck) {
    return between(xml, luck.pick(['<!-- a comment -->', '<!---->', '<!-->', '<!-- <Content>x</Content>']))
  },
  function instruction(xml, luck) {
    return between(xml, luck.pick(['<?php system("id") ?>', '<??>', '<?', '<?xml version="1.0"?>']))
  },
  function attributes(xml, luck) {
    return xml.replace(
      /<(\w+)>/g,
      luck.pick(['<$1 a="1">', "<$1 xmlns='urn:x' a = '>'>", '<$1 a>', '<$1 a=1>', '<$1 a="']),
    )
  },
  function namespaces(xml) {
    return xml.replace('<xml>', '<x:xml xmlns:x="urn:x">').replace(/<\/xml>$/, '</x:xml>')
  },
  function doctype(xml) {
    return `<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd">${xml}`
  },
  function externalEntity(xml, luck) {
    return `<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]>${within(xml, luck, '&x;')}`
  },
  function billionLaughs(xml, luck) {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`,
    )
    return `<!DOCTYPE xml [<!ENTITY l0 "lol">${levels.join('')}]>${within(xml, luck, '&l9;')}`
  },
  function quadraticBlowUp(xml, luck) {
    const entity = `<!DOCTYPE xml [<!ENTITY a "${'a'.repeat(5000)}">]>`
    return entity + within(xml, luck, '&a;'.repeat(500))
  },
  function entities(xml, luck) {
    const one = luck.pick(['&amp;&lt;&gt;&quot;&apos;', '&#x4e2d;', '&#0;', '&#xD800;', '&#x110000;', '&#;'])
    return within(xml, luck, luck.pick([one, '&nbsp;', '&', '&&', '&amp', `&${'a'.repeat(3000)};`]))
  },
  function deepNesting(xml, luck) {
    const depth = luck.pick([5, 15, 16, 17, 100, 1000, 5000])
    return between(xml, '<a>'.repeat(depth) + '</a>'.repeat(depth))
  },
  function unclosedNesting(xml, luck) {
    return between(xml, '<a>'.repeat(luck.pick([1, 10, 1000, 5000])))
  },
  function manyElements(xml, luck) {
    return between(xml, '<Item>1</Item>'.repeat(luck.pick([10, 100, 1000])))
  },
  function manyNames(xml, luck) {
    return between(xml, Array.from({ length: luck.pick([10, 300]) }, (_, at) => `<n${at}/>`).join(''))
  },
  function prototypeElements(xml, luck) {
    const name = luck.pick(prototypeNames)
    return between(xml, `<${name}><isAdmin>1</isAdmin></${name}><${name}>2</${name}>`)
  },
  function prototypeEverywhere(xml, luck) {
    const name = luck.pick(prototypeNames)
    return xml.replace(/<(\/?)(?:MsgType|Content|Event|EventKey)>/g, `<$1${name}>`)
  },
  function anotherRoot(xml, luck) {
    const name = luck.pick(['XML', 'root', 'x', '中', '__proto__'])
    return xml.replace('<xml>', `<${name}>`).replace(/<\/xml>$/, `</${name}>`)
  },
  function wrongEnd(xml) {
    return xml.replace(/<\/xml>$/, '</XML>')
  },
  function noEnd(xml) {
    return xml.replace(/<\/xml>$/, '')
  },
  function twoRoots(xml) {
    return xml + xml
  },
  function tail(xml, luck) {
    return xml + luck.pick([' ', '\r\n', '\u0000', 'x', '<a/>', '<!-- end -->', '<?end?>', oddText(luck)])
  },
  function lowerCase(xml) {
    return xml.replace(/<\/?\w+>/g, tag => tag.toLowerCase())
  },
  function spacesInTags(xml) {
    return xml.replace(/<(\/?\w+)>/g, '<$1 >')
  },
  function brokenTags(xml, luck) {
    return xml.replace(/<(\w+)>/, luck.pick(['< $1>', '<$1', '<$1/', '<1$1>', '<>', '<$1\u0000>', '<$1<$1>']))
  },
  function selfClosed(xml) {
    return xml.replace(/<(\w+)>(?:<!\[CDATA\[)?[^<]*(?:\]\]>)?<\/\1>/, '<$1/>')
  },
]
