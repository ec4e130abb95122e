import type { SendResult } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import { given, record, text, texts, type WecomCall } from './call.ts'
import { checkCharacters, checkCount, checkForm, refuse } from './checks.ts'
import { type AppContent, contentBody } from './messages.ts'

/** A group of the app's own (应用群聊): members of the corp only, and the app only speaks. */
export interface AppChat {
  chatId: string
  name: string
  owner: string
  members: string[]
}

export interface AppChatChange {
  name?: string
  owner?: string
  add?: string[]
  remove?: string[]
}

export interface AppChatRooms {
  /**
   * A chat that is there already under this id is taken as made.
   * @param chat.chatId letters and digits, at most 32
   * @returns the chat id
   */
  create(chat: AppChat): Promise<string>
  /** An owner who is removed must be replaced in the same call. */
  update(chatId: string, change: AppChatChange): Promise<void>
  /** @throws ChannelError `config` (86008) for a chat of another app */
  read(chatId: string): Promise<AppChat>
  /** Everything that an app may send to a member, but no template cards. */
  post(chatId: string, content: Exclude<AppContent, { kind: 'card' }>): Promise<SendResult>
}

/** @see https://developer.work.weixin.qq.com/document/path/90245 */
const MAX_NAME = 50
const MAX_MEMBERS = 2000
/** The chat id is taken. */
const CHAT_EXISTS = 86002

export function createAppChats(call: WecomCall): AppChatRooms {
  /** @see https://developer.work.weixin.qq.com/document/path/98914 */
  async function read(chatId: string): Promise<AppChat> {
    const answer = await call({ path: '/cgi-bin/appchat/get', query: { chatid: chatId }, isSafe: true })
    const chat = record(answer.chat_info)
    return {
      chatId: text(chat.chatid),
      name: text(chat.name),
      owner: text(chat.owner),
      members: texts(chat.userlist),
    }
  }

  return {
    read,
    async create({ chatId, name, owner, members }) {
      checkForm('群号', chatId, /^[0-9A-Za-z]{1,32}$/)
      checkCharacters('群名', name, MAX_NAME)
      const all = [...new Set([owner, ...members])]
      checkCount('群成员', all, 2, MAX_MEMBERS)
      const request = { chatid: chatId, name, owner, userlist: all }
      try {
        const answer = await call({ path: '/cgi-bin/appchat/create', body: request, isSafe: true })
        return text(answer.chatid) || chatId
      } catch (error) {
        if (!(error instanceof ChannelError && error.platformCode === CHAT_EXISTS)) throw error
        // the id is ours: an earlier call made it, and its answer was lost
        return (await read(chatId)).chatId || chatId
      }
    },
    /** @see https://developer.work.weixin.qq.com/document/path/98913 */
    async update(chatId, { name, owner, add, remove }) {
      if (name !== undefined) checkCharacters('群名', name, MAX_NAME)
      if (add?.some(user => remove?.includes(user))) refuse('同一个人不能又加又减')
      await call({
        path: '/cgi-bin/appchat/update',
        body: { chatid: chatId, ...given({ name, owner, add_user_list: add, del_user_list: remove }) },
        isSafe: true,
      })
    },
    /** @see https://developer.work.weixin.qq.com/document/path/90248 */
    async post(chatId, content) {
      const body = { chatid: chatId, ...contentBody(content), safe: 0 }
      return { platformId: text((await call({ path: '/cgi-bin/appchat/send', body })).msgid) }
    },
  }
}
