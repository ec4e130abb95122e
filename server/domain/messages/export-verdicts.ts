import { alertVerdictsAfter } from '../../../db/queries/alert-verdicts.ts'
import type { DomainRuntime } from '../../runtime.ts'

const PORTION = 500

/**
 * Writes what offices have said of alerts, one JSON object a line (`{ alert, text, verdict }`), for training. Texts are
 * masked; those that are not kept are left out.
 * @returns how many
 */
export async function exportVerdicts(
  { db, vault }: Pick<DomainRuntime, 'db' | 'vault'>,
  write: (line: string) => void,
): Promise<number> {
  let count = 0
  for (let after = 0; ; ) {
    const rows = await alertVerdictsAfter(db, after, PORTION)
    for (const { alert, textSealed, verdict } of rows)
      write(`${JSON.stringify({ alert, text: vault.open(textSealed), verdict })}\n`)
    count += rows.length
    const last = rows.at(-1)
    if (!last) return count
    after = last.id
  }
}
