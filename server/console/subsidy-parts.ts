import { yuan } from '../domain/subsidies/rules.ts'
import type { Html } from '../http/html.ts'
import { orSay as sayFault } from './or-say.ts'
import type { Tone } from './parts.ts'
import type { Answer, View } from './routes.ts'

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

/** As `or-say.ts`; what has gone meanwhile, or is another's, is not there. */
export function orSay<Thing>(
  view: View<Thing>,
  work: () => Promise<Answer>,
  again: (fault: string) => Promise<Html>,
): Promise<Answer> {
  return sayFault(view, work, again, ['subsidy.unknown', 'rights.missing'])
}
