import type { ChannelError } from '../errors.ts'
import { type AppIdentity, given, inParts, text, type WecomCall } from './call.ts'
import { cardBody, type TemplateCard } from './cards.ts'
import { checkBytes, checkCharacters, checkCount, checkMostCharacters, refuse } from './checks.ts'

export interface Article {
  title: string
  description?: string
  url: string
  pictureUrl?: string
}

/** What a message of the app holds. Media ids come from `media.upload` and live three days. */
export type AppContent =
  | { kind: 'text'; text: string }
  /** Rendered in WeCom only: who reads in the WeChat plugin sees the raw text. */
  | { kind: 'markdown'; text: string }
  | { kind: 'textcard'; title: string; description: string; url: string; button?: string }
  | { kind: 'news'; articles: Article[] }
  | { kind: 'image' | 'voice' | 'file'; mediaId: string }
  | { kind: 'video'; mediaId: string; title?: string; description?: string }
  | { kind: 'card'; card: TemplateCard }

/** Whom a message goes to. `everyone` is everyone in the app's visible range. */
export type Recipients = 'everyone' | { users?: string[]; departments?: string[]; tags?: string[] }

export interface SendOptions {
  /** The same request within this time is answered as success and not sent again; at most 14400. */
  duplicateCheckSeconds?: number
  /** Cannot be forwarded, and shows who reads it. */
  isConfidential?: boolean
}

/** One call's worth of a message to many. */
export interface SentPart {
  users: string[]
  /** Names the message for `recall`; null when this part failed. */
  messageId: string | null
  /** Lets the cards of this part be changed once within 72 hours; only interactive cards have one. */
  responseCode: string | null
  error: ChannelError | null
}

export interface SendOutcome {
  parts: SentPart[]
  /** Userids as they were given that do not exist or are outside the app's visible range. */
  invalidUsers: string[]
  invalidDepartments: string[]
  invalidTags: string[]
  /** Userids as they were given whose account has no interface licence. */
  unlicensedUsers: string[]
}

export type CardChange =
  /** The buttons become one grey button with this text. */
  | { replaceName: string }
  /** Another card in its place; an interactive one needs the words that its buttons become. */
  | { card: TemplateCard; replaceText?: string }

/** Messages of the app to members (应用消息). */
export interface AppMessages {
  /**
   * Sends one message to many: at most a thousand members in a call, so more go out in parts. Beyond 30 a minute and 1000
   * an hour for one member the platform loses messages without a word; who calls this keeps below.
   * @throws ChannelError when nothing was sent; what is known not to fit is refused before the call
   */
  send(to: Recipients, content: AppContent, options?: SendOptions): Promise<SendOutcome>
  /**
   * Changes a card. Each response code works once, within 72 hours.
   * @param users whose copies change; `everyone` who got it
   * @throws ChannelError `rejected` (60140) for a code that is spent: the card stays as it is
   */
  updateCard(responseCode: string, users: string[] | 'everyone', change: CardChange): Promise<void>
  /** Takes a message back within 24 hours; copies in the WeChat plugin stay. */
  recall(messageId: string): Promise<void>
}

/** @see https://developer.work.weixin.qq.com/document/path/90236 */
const MAX_USERS = 1000
const MAX_PARTS_OF_CORP = 100
const MAX_TEXT_BYTES = 2048
const MAX_DUPLICATE_SECONDS = 14_400
const ALL_INVALID = 81013

export function createMessages(call: WecomCall, app: AppIdentity): AppMessages {
  return {
    async send(to, content, options = {}) {
      const body = { ...contentBody(content), agentid: app.agentId, ...optionsBody(options) }
      const { users, fixed } = recipientsOf(to)
      const isOne = users.length === 0
      const outcomes = await inParts(isOne ? ['@all'] : users, MAX_USERS, part =>
        call({
          path: '/cgi-bin/message/send',
          // departments and tags go with the first part only, or their members would get the message once for each
          body: {
            ...body,
            ...(isOne || part[0] === users[0] ? fixed : {}),
            ...(isOne && to !== 'everyone' ? {} : { touser: part.join('|') }),
          },
        }),
      )
      const named = (field: string, others: string[] = []) => {
        const lowered = new Set(outcomes.flatMap(({ answer }) => namesOf(answer?.[field])))
        return users.filter(user => lowered.has(user.toLowerCase()) || others.includes(user))
      }
      // a part in which nobody is valid is refused as a whole
      const refused = outcomes.flatMap(({ items, error }) =>
        error?.platformCode === ALL_INVALID ? items : [],
      )
      const answers = outcomes.map(({ answer }) => answer).filter(answer => answer !== null)
      return {
        parts: outcomes.map(({ items, answer, error }) => ({
          users: isOne ? [] : items,
          messageId: answer && text(answer.msgid),
          responseCode: text(answer?.response_code) || null,
          error,
        })),
        invalidUsers: named('invaliduser', refused),
        unlicensedUsers: named('unlicenseduser'),
        invalidDepartments: answers.flatMap(answer => namesOf(answer.invalidparty)),
        invalidTags: answers.flatMap(answer => namesOf(answer.invalidtag)),
      }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/94888 */
    async updateCard(responseCode, users, change) {
      if (users !== 'everyone') checkCount('成员', users, 1, MAX_USERS)
      await call({
        path: '/cgi-bin/message/update_template_card',
        body: {
          ...(users === 'everyone' ? { atall: 1 } : { userids: users }),
          agentid: app.agentId,
          response_code: responseCode,
          ...changeBody(change),
        },
      })
    },

    /** @see https://developer.work.weixin.qq.com/document/path/94867 */
    async recall(messageId) {
      await call({ path: '/cgi-bin/message/recall', body: { msgid: messageId }, isSafe: true })
    },
  }
}

/**
 * The `msgtype` and the part it names, checked: everything that would be cut without a word is refused.
 * @throws ChannelError `rejected`
 */
export function contentBody(content: AppContent): Record<string, unknown> {
  switch (content.kind) {
    case 'text':
      checkBytes('文本', content.text, MAX_TEXT_BYTES)
      return { msgtype: 'text', text: { content: content.text } }
    case 'markdown':
      checkBytes('文本', content.text, MAX_TEXT_BYTES)
      return { msgtype: 'markdown', markdown: { content: content.text } }
    case 'textcard': {
      const { title, description, url, button } = content
      checkCharacters('标题', title, 128)
      checkCharacters('描述', description, 512)
      checkBytes('地址', url, 2048)
      checkMostCharacters('按钮文字', button ?? '', 4)
      return { msgtype: 'textcard', textcard: given({ title, description, url, btntxt: button }) }
    }
    case 'news':
      return { msgtype: 'news', news: newsBody(content.articles) }
    case 'video': {
      const { mediaId, title, description } = content
      checkBytes('视频标题', title ?? '-', 128)
      checkBytes('视频描述', description ?? '-', 512)
      return { msgtype: 'video', video: given({ media_id: mediaId, title, description }) }
    }
    case 'card':
      return { msgtype: 'template_card', template_card: cardBody(content.card) }
    default:
      return { msgtype: content.kind, [content.kind]: { media_id: content.mediaId } }
  }
}

export function newsBody(articles: Article[]): Record<string, unknown> {
  checkCount('图文', articles, 1, 8)
  return {
    articles: articles.map(({ title, description, url, pictureUrl }) => {
      checkBytes('图文标题', title, 128)
      checkBytes('图文描述', description ?? '-', 512)
      checkBytes('图文地址', url, 2048)
      return given({ title, description, url, picurl: pictureUrl })
    }),
  }
}

function recipientsOf(to: Recipients): { users: string[]; fixed: Record<string, string> } {
  if (to === 'everyone') return { users: [], fixed: {} }
  const { users = [], departments = [], tags = [] } = to
  if (users.length + departments.length + tags.length === 0) refuse('没有收件人')
  checkCount('部门', departments, 0, MAX_PARTS_OF_CORP)
  checkCount('标签', tags, 0, MAX_PARTS_OF_CORP)
  if (users.some(user => user === '' || user.includes('|') || user === '@all')) refuse('收件人的账号不对')
  return {
    users: [...new Set(users)],
    fixed: {
      ...(departments.length > 0 ? { toparty: departments.join('|') } : {}),
      ...(tags.length > 0 ? { totag: tags.join('|') } : {}),
    },
  }
}

function optionsBody({ duplicateCheckSeconds, isConfidential }: SendOptions): Record<string, unknown> {
  if (duplicateCheckSeconds !== undefined) {
    if (!(duplicateCheckSeconds >= 1 && duplicateCheckSeconds <= MAX_DUPLICATE_SECONDS))
      refuse(`去重时间要在 1 至 ${MAX_DUPLICATE_SECONDS} 秒之间`)
  }
  return {
    ...(isConfidential ? { safe: 1 } : {}),
    ...(duplicateCheckSeconds === undefined
      ? {}
      : { enable_duplicate_check: 1, duplicate_check_interval: duplicateCheckSeconds }),
  }
}

function changeBody(change: CardChange): Record<string, unknown> {
  if ('replaceName' in change) {
    checkBytes('按钮文字', change.replaceName, 1024)
    return { button: { replace_name: change.replaceName } }
  }
  return { template_card: { ...cardBody(change.card), ...given({ replace_text: change.replaceText }) } }
}

/** A list `a|b` in lower case, as the platform gives it whatever was sent. */
function namesOf(value: unknown): string[] {
  return text(value)
    .split('|')
    .filter(name => name !== '')
    .map(name => name.toLowerCase())
}
