import { yuan } from '../domain/subsidies/rules.ts'
import { DomainError } from '../errors.ts'
import type { Html } from '../http/html.ts'
import type { Tone } from './parts.ts'
import { type Answer, NotFound, type View } from './routes.ts'

export const runTones: Readonly<Record<string, Tone>> = {
  draft: 'quiet',
  submitted: 'wait',
  approved: 'good',
  returned: 'bad',
  withdrawn: 'quiet',
}

/** 600000 as 6,000.00, where 元 stands beside it. */
export const amount = (fen: number) => yuan(fen).replace(' 元', '')

export const wayWords = (way: string) => (way === 'bank' ? '银行发放' : '微信支付')

/** Does a deed; a fault is said on the same page, with what was filled in. What has gone meanwhile is not there. */
export async function orSay<Thing>(
  view: View<Thing>,
  work: () => Promise<Answer>,
  again: (fault: string) => Promise<Html>,
): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    if (error.code === 'subsidy.unknown' || error.code === 'rights.missing') throw new NotFound()
    view.reply.code(422)
    return again(error.message)
  }
}
