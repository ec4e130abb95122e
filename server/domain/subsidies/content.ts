import { createHash } from 'node:crypto'
import type { SubsidyItemRow, SubsidyRunRow } from '../../../db/queries/subsidies.ts'

/**
 * What a list says, as one number: who, how much, for which service, by which account, which way. What was approved is what was looked at, to
 * the last character.
 * @param items in any order; whoever was left out does not count
 */
export function contentHash(
  run: Pick<SubsidyRunRow, 'id' | 'unitId' | 'year' | 'way'>,
  items: readonly SubsidyItemRow[],
): string {
  const lines = items
    .filter(item => item.leftOutReason === null)
    .map(({ personId, name, fen, identityId, isOutOfProvince, place, startsOn }) =>
      JSON.stringify([personId, name, fen, identityId, isOutOfProvince, place, startsOn]),
    )
    .sort()
  return createHash('sha256')
    .update([JSON.stringify([run.id, run.unitId, run.year, run.way]), ...lines].join('\n'))
    .digest('hex')
}
