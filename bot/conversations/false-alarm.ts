import { saveConversation } from '../../db/queries/identities.ts'
import { claimFalseAlarm, decidersOf, type Stopped } from '../../server/domain/messages/claim-false-alarm.ts'
import { holdsWholeNumbers, type StoppedText } from '../../server/domain/messages/false-alarms.ts'
import { DomainError } from '../../server/errors.ts'
import type { Context, KnownContext } from '../context.ts'
import { type Answers, type Conversation, expiryOf } from '../conversation.ts'

/** The key of the answers under which a stopped text lies, sealed, beside whatever a dialogue has asked. */
const STOPPED = 'stopped'
const isClaim = (text: string) => /^(?:这?是)?误报$/.test(text)

/** What was stopped waits for a word of its writer, outside any other dialogue. */
export const falseAlarmConversation: Conversation = {
  name: 'false-alarm',
  title: '误报',
  isOffer: true,
  version: 1,
  fields: [
    {
      name: 'offered',
      isAnswer: isClaim,
      ask: () => '',
      read: async (_ctx, text) => (isClaim(text) ? { value: 'yes' } : { error: '' }),
    },
  ],
  finish: (ctx, answers) => claimStopped(ctx as KnownContext, answers),
}

/**
 * What to say to somebody whose text was stopped: why, and that they can say it was a false alarm, and to whom they would
 * show it by that. The text waits, sealed, as long as a dialogue does.
 */
export async function offerClaim(
  ctx: Context,
  stored: { name: string; version: number; step: string; answers: Answers } | null,
  error: StoppedText,
): Promise<string> {
  const isPublic = 'isPublic' in ctx.update && ctx.update.isPublic
  const goesOn = stored && !isPublic ? '（不办了请回复：取消）' : ''
  // who would read a slip is not known yet, and nobody else is to see it
  if (error.source === 'slip' && error.place === null)
    return `${error.message}\n不是这样的话，请只发“上报”，按提示写到内容，再请办理的单位看是不是误报。`
  const offer = ctx.actor.person === null || isPublic ? '' : await offerWords(ctx as KnownContext, error)
  if (offer === '') return [error.message, goesOn].filter(part => part !== '').join('\n')
  const { alert, source, text, place } = error
  const kept = ctx.rt.vault.seal(JSON.stringify({ alert, source, text, place } satisfies Stopped))
  const conversation = stored ?? { ...falseAlarmConversation, step: 'offered', answers: {} }
  const { name, version, step, answers } = conversation
  await saveConversation(
    ctx.rt.db,
    ctx.actor.identityId,
    { name, version, step, answers: { ...answers, [STOPPED]: kept } },
    expiryOf(ctx),
  )
  return [error.message, offer, goesOn].filter(part => part !== '').join('\n')
}

async function offerWords(ctx: KnownContext, { alert, source, text, place }: StoppedText): Promise<string> {
  if (holdsWholeNumbers(text)) return ''
  try {
    const deciders = await decidersOf(ctx.rt, ctx.actor, { alert, source, place })
    if (deciders === 'self') return '不是这样的话请回：误报（一样的话以后不再拦）'
    const names = deciders.persons.map(person => person.name).join('、')
    return `不是这样的话请回：误报（会请${deciders.unitName}的${names}看原话，别人看不到）`
  } catch (error) {
    // nobody could say so
    if (error instanceof DomainError) return ''
    throw error
  }
}

/** Says that what was stopped last was a false alarm. @param answers those of the dialogue that it waits in */
export async function claimStopped(ctx: KnownContext, answers: Answers = {}): Promise<string> {
  const sealed = answers[STOPPED]
  if (sealed === undefined) return '现在没有被拦下的话。求助是误报，请写上编号，如：误报 5'
  const stopped = JSON.parse(ctx.rt.vault.open(sealed)) as Stopped
  const claimed = await claimFalseAlarm(ctx.rt, ctx.actor, stopped)
  return claimed.outcome === 'decided'
    ? '记下了：这是误报，一样的话不再拦。请再发一次。'
    : `已请${claimed.unitName}的${claimed.names.join('、')}看是不是误报（${claimed.id} 号），看过会告诉您；在那以前没有发出。`
}
