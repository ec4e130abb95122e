import { createHash } from 'node:crypto'

/**
 * Chance in [0, 1) that depends on what it is about and not on the order of asking: people answer side by side, and a
 * rehearsal with the same seed goes the same way.
 */
export function chanceOf(seed: number, ...about: (string | number)[]): number {
  const hash = createHash('sha256')
    .update(`${seed} ${about.join(' ')}`)
    .digest()
  return hash.readUIntBE(0, 6) / 2 ** 48
}
