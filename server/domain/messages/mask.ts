import { findPersonalData, type PersonalDataKind } from './personal-data.ts'

/** How many characters stay readable at the start and at the end. */
const KEPT: Record<PersonalDataKind, readonly [number, number]> = {
  'id-number': [6, 2],
  'bank-card': [4, 4],
  passport: [2, 2],
  mobile: [3, 4],
  password: [0, 0],
  code: [0, 0],
}

/**
 * Masks phones, identity, card and passport numbers, passwords and codes in free text, before it is stored or
 * shown. Everything else stays as it was written, and masking twice changes nothing more.
 * @param kept kinds that stay readable
 */
export function maskPersonalData(text: string, kept: readonly PersonalDataKind[] = []): string {
  let masked = ''
  let done = 0
  for (const { kind, index, length } of findPersonalData(text)) {
    if (index < done || kept.includes(kind)) continue
    masked += text.slice(done, index) + maskOne(text.slice(index, index + length), KEPT[kind])
    done = index + length
  }
  return masked + text.slice(done)
}

/** Keeps spaces and hyphens where they were, so that a spaced number stays recognisable as one. */
function maskOne(shown: string, [head, tail]: readonly [number, number]): string {
  const total = [...shown].filter(character => !/[\s-]/u.test(character)).length
  let place = 0
  return [...shown]
    .map(character => {
      if (/[\s-]/u.test(character)) return character
      place += 1
      return place <= head || place > total - tail ? character : '*'
    })
    .join('')
}
