import { DomainError } from '../errors.ts'
import type { Html } from '../http/html.ts'
import { type Answer, NotFound, type View } from './routes.ts'

/**
 * Does a deed; a fault is said on the same page, with what was filled in.
 * @param gone codes of faults that say that the thing is not there (any more)
 */
export async function orSay<Thing>(
  view: View<Thing>,
  work: () => Promise<Answer>,
  again: (fault: string) => Promise<Html>,
  gone: readonly string[] = [],
): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    if (gone.includes(error.code)) throw new NotFound()
    view.reply.code(422)
    return again(error.message)
  }
}
