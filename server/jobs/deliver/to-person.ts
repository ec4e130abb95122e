import { insertSentCard } from '../../../db/queries/cards.ts'
import { identitiesToReach, identityById } from '../../../db/queries/identities.ts'
import { noticeOfOutgoing } from '../../../db/queries/notices.ts'
import { wasSummoned } from '../../../db/queries/outgoing.ts'
import { closeWindow, returnToWindow, useWindow } from '../../../db/queries/windows.ts'
import type { OfficialAccountChannel, SendResult, WecomChannel } from '../../channels/channel.ts'
import { ChannelError } from '../../channels/errors.ts'
import type { ServiceMessage } from '../../channels/official-account/ports.ts'
import type { ButtonCard } from '../../channels/wecom/cards.ts'
import type { AppContent } from '../../channels/wecom/messages.ts'
import { chineseMoment } from '../../clock.ts'
import type { ActionCard } from '../../domain/outgoing/card.ts'
import { MustWait } from '../../limits.ts'
import type { Runtime } from '../../runtime.ts'
import { type Content, linkTo, type OutgoingFile, partsOf } from './content.ts'
import { sendFileToWecom, sendPictureToOfficialAccount } from './media.ts'
import { type Message, placeFor, requireWecom, type Sent, sendSteps } from './message.ts'

/** Who was called by a template message and has not come is not called again for a day. */
const SUMMONS_HOLDS_MS = 24 * 3600_000

type Account = NonNullable<Awaited<ReturnType<typeof identityById>>>

/** Longer than two attempts lie apart. */
const DUPLICATE_SECONDS = 2 * 3600

/**
 * From the second attempt on: what the first may have brought is not brought again. What carries a notice says so at the
 * first attempt too, since the platform may only remember what it was told to look out for; other texts, such as answers,
 * may well be the same twice.
 */
const mayBeThere = (message: Message) => message.attempts > 1 || message.noticeId !== null

/** Tries the person's accounts: WeCom first, then the Official Account in its window, then a template message. */
export async function sendToPerson(rt: Runtime, message: Message, content: Content): Promise<Sent> {
  let last = new ChannelError('recipient', '对方还没有绑定账号，或已取消关注')
  let wait: MustWait | null = null
  let repairable: ChannelError | null = null
  for (const account of await accountsFor(rt, message)) {
    try {
      return await sendToAccount(rt, message, account, content)
    } catch (error) {
      if (error instanceof MustWait && error.isQuota) {
        // not before tomorrow: another account may do it today
        wait = error
        continue
      }
      if (!(error instanceof ChannelError) || error.retryable) throw error
      last = error
      if (error.mayBeRepaired) repairable = error
      if (error.reason === 'window_closed') {
        const sent = await trySummons(rt, message, account.address)
        if (sent !== null) return sent
      }
    }
  }
  throw wait ?? repairable ?? last
}

/** The accounts that can be written to, WeCom first. */
async function accountsFor(rt: Runtime, message: Message): Promise<Account[]> {
  const canWrite = ({ channel, isReachable }: Account) =>
    isReachable &&
    ((channel === 'wecom' && rt.channels.wecom !== null) ||
      (channel === 'official-account' && rt.channels.officialAccount !== null))
  const asked = message.identityId === null ? null : await identityById(rt.db, message.identityId)
  if (asked && canWrite(asked)) return [asked]
  // a chat robot never speaks first: its user is reached as the person they are
  const personId = asked === null ? message.personId : asked.channel === 'aibot' ? asked.personId : null
  const accounts = personId === null ? [] : (await identitiesToReach(rt.db, personId)).filter(canWrite)
  return accounts.sort((a, b) => Number(b.channel === 'wecom') - Number(a.channel === 'wecom'))
}

function sendToAccount(rt: Runtime, message: Message, account: Account, content: Content): Promise<Sent> {
  const { wecom, officialAccount } = rt.channels
  return account.channel === 'wecom'
    ? sendByApp(rt, message, account.address, content, wecom as WecomChannel)
    : sendByOfficialAccount(rt, message, account, content, officialAccount as OfficialAccountChannel)
}

function sendByApp(
  rt: Runtime,
  message: Message,
  userId: string,
  content: Content,
  wecom: WecomChannel,
): Promise<Sent> {
  const sendContent = async (part: AppContent): Promise<SendResult & { responseCode: string | null }> => {
    await placeFor(rt, message, { to: 'member', userId })
    const options = mayBeThere(message) ? { duplicateCheckSeconds: DUPLICATE_SECONDS } : {}
    const sent = await wecom.messages.send({ users: [userId] }, part, options)
    if (sent.invalidUsers.length > 0) throw new ChannelError('recipient', '对方不在企业微信应用的可见范围内')
    if (sent.unlicensedUsers.length > 0) throw new ChannelError('recipient', '对方的账号没有接口许可')
    const [first] = sent.parts
    // a notice may be withdrawn
    if (message.noticeId !== null && first?.messageId)
      message.recallIds = [...(message.recallIds ?? []), first.messageId]
    return { platformId: first?.messageId ?? '', responseCode: first?.responseCode ?? null }
  }
  if (message.cardSealed !== null)
    return sendAsCard(rt, message, userId, card => sendContent({ kind: 'card', card }))
  const sendText = (text: string) => sendContent({ kind: 'text', text })
  const sendFile = (file: OutgoingFile): Promise<SendResult> =>
    sendFileToWecom(rt, message, wecom, file, uploaded =>
      uploaded === null ? sendText(linkTo(file)) : sendContent(uploaded),
    )
  return sendSteps(rt, message, [
    ...partsOf(content, wecom.maxTextBytes).map(text => () => sendText(text)),
    ...content.files.map(file => () => sendFile(file)),
    ...partsOf({ texts: content.closing ?? [] }, wecom.maxTextBytes).map(text => () => sendText(text)),
  ])
}

/** The platform has had this number of a card: the attempt whose answer was lost has sent it. */
const CARD_SENT_BEFORE = 42014

/** Sends a card and notes it, so that it can show what becomes of its matter. */
async function sendAsCard(
  rt: Runtime,
  message: Message,
  userId: string,
  send: (card: ButtonCard) => Promise<{ platformId: string; responseCode: string | null }>,
): Promise<Sent> {
  const { about, ...card } = JSON.parse(rt.vault.open(message.cardSealed ?? '')) as ActionCard
  const taskId = `${about.kind}-${about.id}-${message.id}`
  try {
    const { platformId, responseCode } = await send(buttonCard(card, taskId))
    await insertSentCard(rt.db, {
      taskId,
      aboutKind: about.kind,
      aboutId: about.id,
      address: userId,
      responseCode,
      sentAt: rt.clock.now(),
    })
    return { platformId }
  } catch (error) {
    const wasSent = error instanceof ChannelError && error.platformCode === CARD_SENT_BEFORE
    if (wasSent && message.attempts > 1) return { platformId: '' }
    throw error
  }
}

function buttonCard(card: Omit<ActionCard, 'about'>, taskId: string): ButtonCard {
  return {
    kind: 'button_interaction',
    taskId,
    title: card.title,
    subtitle: card.description,
    rows: card.rows,
    ...(card.choice && {
      selection: {
        questionKey: card.choice.key,
        title: card.choice.title,
        options: card.choice.options,
      },
    }),
    buttons: card.buttons.map(button => ({
      text: button.text,
      style: button.isMain ? 1 : 2,
      ...('url' in button ? { url: button.url } : { key: button.command }),
    })),
  }
}

/** A code that is spent or older than 72 hours: the card stays as it is, and a tap on it is answered. */
const CODE_SPENT = 60140

/** Has the buttons of a card replaced by a word. */
export async function changeCard(rt: Runtime, message: Message, { texts }: Content): Promise<Sent> {
  const [responseCode = '', userId = '', words = ''] = texts
  await placeFor(rt, message, { to: 'wecom-api', path: '/cgi-bin/message/update_template_card' })
  try {
    await requireWecom(rt).messages.updateCard(responseCode, [userId], { replaceName: words })
  } catch (error) {
    if (!(error instanceof ChannelError && error.platformCode === CODE_SPENT)) throw error
  }
  return { platformId: '' }
}

/** The Official Account has no file messages: a file becomes a link, a picture stays one. */
function sendByOfficialAccount(
  rt: Runtime,
  message: Message,
  account: Account,
  content: Content,
  channel: OfficialAccountChannel,
): Promise<Sent> {
  const send = (service: ServiceMessage) =>
    sendInWindow(rt, account.id, async () => {
      await placeFor(rt, message, { to: 'official-custom' })
      return channel.sendServiceMessage(account.address, service)
    })
  const sendText = (text: string) => send({ kind: 'text', text })
  const sendFile = (file: OutgoingFile) =>
    file.kind === 'file'
      ? sendText(linkTo(file))
      : sendPictureToOfficialAccount(rt, channel, file, uploaded =>
          uploaded === null ? sendText(linkTo(file)) : send({ kind: 'image', mediaId: uploaded.mediaId }),
        )
  return sendSteps(rt, message, [
    ...partsOf(content, channel.maxTextBytes).map(text => () => sendText(text)),
    ...content.files.map(file => () => sendFile(file)),
    ...partsOf({ texts: content.closing ?? [] }, channel.maxTextBytes).map(text => () => sendText(text)),
  ])
}

/**
 * Sends a customer-service message from what the window still holds.
 * @throws ChannelError `window_closed` without a call when it is known to hold nothing
 */
async function sendInWindow(
  rt: Runtime,
  identityId: number,
  send: () => Promise<SendResult>,
): Promise<SendResult> {
  const window = await useWindow(rt.db, identityId, rt.clock.now())
  if (window === 'closed') throw new ChannelError('window_closed', '对方超过 48 小时没有发言，或条数已用完')
  try {
    return await send()
  } catch (error) {
    if (error instanceof ChannelError && error.reason === 'window_closed')
      await closeWindow(rt.db, identityId, rt.clock.now())
    else if (window !== 'unknown' && hasNotGoneOut(error)) await returnToWindow(rt.db, identityId, window)
    throw error
  }
}

function hasNotGoneOut(error: unknown): boolean {
  return error instanceof MustWait || (error instanceof ChannelError && !error.isUncertain)
}

/**
 * Outside the window a template message calls the person back. The text of a notice is asked for (通知 12); any other text
 * waits and follows when they write.
 * @returns null when they cannot be called
 */
async function trySummons(rt: Runtime, message: Message, address: string): Promise<Sent | null> {
  const now = rt.clock.now()
  const notice = await noticeOfOutgoing(rt.db, message.id)
  if (!notice && (await wasSummoned(rt.db, message, new Date(now.getTime() - SUMMONS_HOLDS_MS))))
    return { platformId: '', isSummons: true }
  try {
    await placeFor(rt, message, { to: 'official-template' })
    const summons = {
      title: notice ? `通知 ${notice.id} 待转发` : '有一件事等您办理',
      time: chineseMoment(notice?.deadlineAt ?? now),
      note: notice ? `请回复：通知 ${notice.id}` : '请回复任意一个字查看',
      // the same for each try of this call; another when they came and are called again for the same message
      clientMessageId: `${message.id}-${message.sentAt?.getTime() ?? 0}`,
    }
    const sent = await rt.channels.officialAccount?.sendTemplate(address, summons, null)
    return sent ? { platformId: sent.platformId, isSummons: notice === null } : null
  } catch (error) {
    if (error instanceof ChannelError && !error.retryable && !error.mayBeRepaired) return null
    throw error
  }
}
