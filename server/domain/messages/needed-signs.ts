/**
 * Which signs a text must hold for a pattern to be found in it: of these at least one. Most messages hold none of them
 * for most patterns, and looking for a pattern costs far more than looking whether its signs are there.
 *
 * Reads the part of the syntax that the cues are written in (alternatives, groups, classes, looks around, repeats);
 * whatever else there is makes it say that it cannot tell, never that a sign is needed.
 */

/** null: it cannot be told, or none is needed. */
export type NeededSigns = ReadonlySet<string> | null

/** Signs that stand in nearly every text: a pattern is better known by another of its signs. */
const COMMON = new Set(
  '的一是不了人在有我他这个们中来上大为和地到你说就要出会可也对生能子得于下年过后作里用道行所家事成方多去法学都同现当没动面起看天分还进好小部其些主样开但因只从0123456789',
)
const COMMON_WEIGHT = 20

interface Reader {
  source: string
  at: number
}

/** @param source of a regular expression with the flag `u` and without `i` */
export function neededSigns(source: string): NeededSigns {
  const reader = { source, at: 0 }
  const needed = readAlternatives(reader)
  return reader.at === source.length ? needed : null
}

function readAlternatives(reader: Reader): NeededSigns {
  const all = new Set<string>()
  let isKnown = true
  for (;;) {
    const needed = readSequence(reader)
    if (needed === null) isKnown = false
    else for (const sign of needed) all.add(sign)
    if (reader.source[reader.at] !== '|') break
    reader.at++
  }
  return isKnown ? all : null
}

/** Every part is needed: the one that is told best stands for them all. */
function readSequence(reader: Reader): NeededSigns {
  let best: NeededSigns = null
  while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at] as string)) {
    const needed = readPart(reader)
    if (mayBeLeftOut(reader) || needed === null) continue
    if (best === null || weightOf(needed) < weightOf(best)) best = needed
  }
  return best
}

function weightOf(signs: ReadonlySet<string>): number {
  let weight = 0
  for (const sign of signs) weight += COMMON.has(sign) ? COMMON_WEIGHT : 1
  return weight
}

function readPart(reader: Reader): NeededSigns {
  const { source } = reader
  const sign = String.fromCodePoint(source.codePointAt(reader.at) as number)
  reader.at += sign.length
  switch (sign) {
    case '(':
      return readGroup(reader)
    case '[':
      return readClass(reader)
    case '\\':
      return readEscape(reader)
    case '.':
    case '^':
    case '$':
      return null
    default:
      return new Set([sign])
  }
}

function readGroup(reader: Reader): NeededSigns {
  const head = /^\?(?:<?[=!]|:|<\w+>)/.exec(reader.source.slice(reader.at))?.[0] ?? ''
  reader.at += head.length
  const needed = readAlternatives(reader)
  if (reader.source[reader.at] === ')') reader.at++
  // what is looked at and not taken says nothing of what the text holds, or the opposite
  return /[=!]$/.test(head) ? null : needed
}

function readClass(reader: Reader): NeededSigns {
  const end = /^(?:\\.|[^\]\\])*\]/su.exec(reader.source.slice(reader.at))?.[0].length ?? 0
  const inside = [...reader.source.slice(reader.at, reader.at + end - 1)]
  reader.at += end
  const isPlain = !inside.includes('\\') && !inside.includes('-') && inside[0] !== '^'
  return isPlain ? new Set(inside) : null
}

function readEscape(reader: Reader): NeededSigns {
  const sign = reader.source[reader.at] ?? ''
  reader.at++
  if (sign === 'd') return new Set('0123456789')
  if (sign === 'u') reader.at += 4
  return /[\p{L}\p{N}]/u.test(sign) ? null : new Set([sign])
}

/** Reads how often the part before may stand. @returns whether it may be missing */
function mayBeLeftOut(reader: Reader): boolean {
  const repeat = /^(?:[?*+]|\{(\d+)(?:,\d*)?\})\??/.exec(reader.source.slice(reader.at))
  if (!repeat) return false
  reader.at += repeat[0].length
  return '?*'.includes(repeat[0].charAt(0)) || repeat[1] === '0'
}
