import type { Chance } from '../demo/chance.ts'
import type { XmlFields, XmlValue } from '../simulator/xml.ts'
import { oddText, prototypeNames } from './odd-values.ts'

/** A field that is not what it should be. Fields stay well-formed: how they are written is another matter. */
export function strangeFields(fields: XmlFields, luck: Chance): { what: string; fields: XmlFields } {
  const path = pathsOf(fields)
  const [name, ...rest] = luck.pick(path)
  const change = luck.pick(changes)
  return {
    what: `${change.name} ${[name, ...rest].join('/')}`,
    fields: changed(fields, [name as string, ...rest], value => change(value, luck)),
  }
}

type Change = (value: XmlValue, luck: Chance) => XmlValue | undefined

const changes: readonly Change[] = [
  function missing() {
    return undefined
  },
  function empty() {
    return ''
  },
  function twice(value) {
    return [value, value]
  },
  function twiceButDifferent(value, luck) {
    return [value, oddText(luck)]
  },
  function odd(_value, luck) {
    return oddText(luck)
  },
  function oddNumber(_value, luck) {
    return luck.pick([0, -1, 1.5, 2 ** 53, 2n ** 63n, 2n ** 64n, -(2n ** 63n), 10n ** 30n, 253402300800n])
  },
  function nested(value) {
    return { Item: value, Count: 1 }
  },
  function deeper(value, luck) {
    let result = value
    for (let depth = luck.between(2, 40); depth > 0; depth--) result = { a: result }
    return result
  },
  function list(value, luck) {
    return Array.from({ length: luck.between(3, 200) }, () => value)
  },
  function withPrototypeNames(value, luck) {
    return Object.fromEntries([[luck.pick(prototypeNames), value]])
  },
  function longer(value, luck) {
    return typeof value === 'string' ? value.repeat(luck.between(2, 60)) : [value]
  },
]

/** Every field, and every field within a field, by its path. */
function pathsOf(fields: XmlFields, before: string[] = []): string[][] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const path = [...before, name]
    const isBranch = typeof value === 'object' && !Array.isArray(value)
    return isBranch ? [path, ...pathsOf(value, path)] : [path]
  })
}

function changed(
  fields: XmlFields,
  [name, ...rest]: string[],
  change: (value: XmlValue) => XmlValue | undefined,
): XmlFields {
  return Object.fromEntries(
    Object.entries(fields).map(([each, value]): [string, XmlValue | undefined] => {
      if (each !== name || value === undefined) return [each, value]
      return [each, rest.length === 0 ? change(value) : changed(value as XmlFields, rest, change)]
    }),
  )
}
