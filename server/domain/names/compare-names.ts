import { soundOfKey, syllables } from './name-key.ts'
import { nameTables } from './name-tables.ts'

/** `sound`: other characters, same toneless pinyin. `near`: one slip away in looks, order or dialect. */
export type NameLikeness = 'equal' | 'sound' | 'near' | 'different'

/**
 * Compares two name keys. A difference of one character counts as near, since a look-alike (芬 for 芳, 恩 for 思) cannot
 * be told from another name by rule; near names go to a person, they are never let in or turned away.
 */
export function compareNames(a: string, b: string): NameLikeness {
  if (a === b) return 'equal'
  if (soundOfKey(a) === soundOfKey(b)) return 'sound'
  const left = Array.from(a)
  const right = Array.from(b)
  const length = Math.max(left.length, right.length)
  const distance = editDistance(left, right, 2)
  if (distance === 1) {
    const isNear =
      length > 2 || left[0] === right[0] || nameTables.lookAlikeSurnames.has(`${left[0]}${right[0]}`)
    return isNear ? 'near' : 'different'
  }
  if (distance === 2 && (length >= 6 || isSwapped(left, right))) return 'near'
  return dialectSound(a) === dialectSound(b) ? 'near' : 'different'
}

function isSwapped(a: string[], b: string[]): boolean {
  return a.length === b.length && [...a].sort().join('') === [...b].sort().join('')
}

/** Sounds that many speakers do not tell apart: zh/z, n/l, -ng/-n. */
function dialectSound(key: string): string {
  return syllables(key)
    .map(sound =>
      sound
        .replace(/^([zcs])h/, '$1')
        .replace(/^n/, 'l')
        .replace(/ng$/, 'n'),
    )
    .join(' ')
}

/**
 * Number of insertions, deletions, changes and swaps of neighbours between two sequences.
 *
 * @returns at most `limit + 1`, which stands for "more than the limit".
 */
export function editDistance(a: ArrayLike<string>, b: ArrayLike<string>, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return Math.min(last[b.length] ?? 0, limit + 1)
}
