import type { FastifyReply } from 'fastify'
import { DomainError } from '../../../errors.ts'
import type { Html } from '../../../http/html.ts'
import type { View } from '../../routes.ts'

/**
 * Does something and goes on to a page that says what became of it.
 * @param again the page that it was asked on, with why it was refused
 */
export async function say(
  view: View<unknown>,
  path: string,
  work: () => Promise<string>,
  again: (fault: string) => Promise<Html>,
): Promise<FastifyReply | Html> {
  try {
    return view.goTo(path, await work())
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    return again(error.message)
  }
}
