import { askContacts } from '../domain/contacts/ask.ts'
import { askForOverdue } from '../domain/hand-over/ask.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/** In the morning of each day: asks for overdue hand-overs, and on its days for 1+100 branches and visits. */
export async function askPeople(rt: Runtime): Promise<number> {
  return (await inTransaction(rt, askForOverdue)) + (await inTransaction(rt, askContacts))
}
