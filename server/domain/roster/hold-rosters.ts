import { lockRoster } from '../../../db/queries/roster.ts'
import type { DomainRuntime } from '../../runtime.ts'

/** Waits for the imports of all programmes that are under way, and lets none begin, until the transaction ends. */
export async function holdRosters(tx: DomainRuntime): Promise<void> {
  // always in one order: two who hold all of them do not wait for each other
  for (const { id } of tx.templates.programmes.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    await lockRoster(tx.db, id)
}
