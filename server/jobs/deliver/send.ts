import { ChannelError } from '../../channels/errors.ts'
import { textLimits } from '../../channels/text.ts'
import type { Carried } from '../../domain/notices/relay-request.ts'
import type { Runtime } from '../../runtime.ts'
import { type Content, contentOf, textWithin } from './content.ts'
import { type Message, NotYet, placeFor, requireWecom, type Sent, TakenBack } from './message.ts'
import {
  addToAppChat,
  createAppChat,
  createMassTask,
  handOutJoinPass,
  postByRobot,
  postToAppChat,
} from './to-group.ts'
import { changeCard, sendToPerson } from './to-person.ts'

/**
 * Calls the platform.
 * @throws MustWait when there is no place for the call yet; ChannelError when it came to nothing
 */
export async function send(rt: Runtime, message: Message): Promise<Sent> {
  if (message.expiresAt !== null && message.expiresAt <= rt.clock.now())
    throw new ChannelError('rejected', '已过时限，没有发出')
  const content = await contentOf(rt, message)
  if (content.carried) mayLeave(rt, content.carried)
  switch (message.kind) {
    case 'robot':
      return postByRobot(rt, message, content)
    case 'appchat':
      return postToAppChat(rt, message, content)
    case 'mass':
      return createMassTask(rt, message, content)
    case 'join_pass':
      return handOutJoinPass(rt, message)
    case 'create_appchat':
      return createAppChat(rt, message)
    case 'add_to_appchat':
      return addToAppChat(rt, message)
    case 'card_update':
      return changeCard(rt, message, content)
    case 'welcome':
      return once(message, () => welcome(rt, message, content))
    case 'response':
      return once(message, () => respond(rt, content))
    default:
      return sendToPerson(rt, message, content)
  }
}

/** @throws TakenBack when nothing of the notice is to go out any more; NotYet in the quiet hours */
function mayLeave(rt: Runtime, { isVoid, startsAt }: Carried): void {
  if (isVoid !== null) throw new TakenBack(isVoid)
  if (startsAt > rt.clock.now()) throw new NotYet(startsAt)
}

/** A welcome code or an address to answer to that is spent. */
const SPENT = new Set([41050, 41051, 41096, 60140])

/** What works once and is spent when it is tried again was carried out by the attempt whose answer was lost. */
async function once(message: Message, call: () => Promise<Sent>): Promise<Sent> {
  try {
    return await call()
  } catch (error) {
    const isSpent = error instanceof ChannelError && SPENT.has(error.platformCode ?? 0)
    if (isSpent && message.attempts > 1) return { platformId: '' }
    throw error
  }
}

/** Answers a chat robot's callback afterwards. The address takes one answer only. */
async function respond(rt: Runtime, { texts }: Content): Promise<Sent> {
  const { aibot } = rt.channels
  if (!aibot) throw new ChannelError('config', '没有配置智能机器人')
  const [responseUrl = '', ...rest] = texts
  await aibot.respond(responseUrl, await textWithin(rt, null, rest.join('\n'), aibot.maxTextBytes))
  return { platformId: '' }
}

/** Welcomes a new customer. It cannot go in parts: there is one message in each welcome code. */
async function welcome(rt: Runtime, message: Message, { texts }: Content): Promise<Sent> {
  const [code = '', ...rest] = texts
  const text = await textWithin(rt, null, rest.join('\n'), textLimits.welcome)
  await placeFor(rt, message, { to: 'wecom-api', path: '/cgi-bin/externalcontact/send_welcome_msg' })
  await requireWecom(rt).welcomes.greet(code, { text })
  return { platformId: '' }
}
