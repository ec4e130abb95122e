import { type Attachment, attachmentBody, type Bubbles, bubblesBody } from './attachments.ts'
import { type AppIdentity, given, list, record, text, type WecomCall } from './call.ts'
import { checkBytes } from './checks.ts'

/** What everybody sees who comes into a group; its owner picks it in the client. */
export interface GroupWelcome {
  /** `%NICKNAME%` stands for the newcomer's name; at most 3000 bytes. */
  text: string
  attachment?: Attachment
}

export interface Welcomes {
  /**
   * Greets a new customer: within 20 seconds of the event, once, and the first app wins.
   * @throws ChannelError `rejected` for 41050, 41051 and 41096: there is nothing more to be done
   */
  greet(welcomeCode: string, content: Bubbles): Promise<void>
  /** @param tellOwners whether owners are told that there is a new one @returns its id */
  addGroupWelcome(welcome: GroupWelcome, tellOwners: boolean): Promise<string>
  changeGroupWelcome(id: string, welcome: GroupWelcome): Promise<void>
  readGroupWelcome(id: string): Promise<{ text: string; attachmentKind: string | null }>
  removeGroupWelcome(id: string): Promise<void>
}

const BASE = '/cgi-bin/externalcontact'
/** At most 100 in a corp. @see https://developer.work.weixin.qq.com/document/path/92366 */
const TEMPLATE = `${BASE}/group_welcome_template`
const MAX_TEMPLATE_BYTES = 3000
const ATTACHMENT_KINDS = ['image', 'link', 'miniprogram', 'file', 'video']

export function createWelcomes(call: WecomCall, app: AppIdentity): Welcomes {
  return {
    /** @see https://developer.work.weixin.qq.com/document/path/92137 */
    async greet(welcomeCode, content) {
      const body = { welcome_code: welcomeCode, ...bubblesBody(content) }
      await call({ path: `${BASE}/send_welcome_msg`, body })
    },
    async addGroupWelcome(welcome, tellOwners) {
      const body = { ...welcomeBody(welcome), agentid: app.agentId, notify: tellOwners ? 1 : 0 }
      return text((await call({ path: `${TEMPLATE}/add`, body })).template_id)
    },
    async changeGroupWelcome(id, welcome) {
      const body = { template_id: id, ...welcomeBody(welcome), agentid: app.agentId }
      await call({ path: `${TEMPLATE}/edit`, body, isSafe: true })
    },
    async readGroupWelcome(id) {
      const answer = await call({ path: `${TEMPLATE}/get`, body: { template_id: id }, isSafe: true })
      return {
        text: text(record(answer.text).content),
        attachmentKind:
          ATTACHMENT_KINDS.find(kind => answer[kind] !== undefined) ??
          (text(list(answer.attachments)[0]?.msgtype) || null),
      }
    },
    async removeGroupWelcome(id) {
      const body = { template_id: id, agentid: app.agentId }
      await call({ path: `${TEMPLATE}/del`, body, isSafe: true })
    },
  }
}

function welcomeBody({ text: content, attachment }: GroupWelcome): Record<string, unknown> {
  checkBytes('欢迎语', content, MAX_TEMPLATE_BYTES)
  if (!attachment) return { text: { content } }
  const { msgtype, ...part } = attachmentBody(attachment)
  return given({ text: { content }, [String(msgtype)]: part[String(msgtype)] })
}
