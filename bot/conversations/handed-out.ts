import { openDeliveriesOf } from '../../db/queries/notices.ts'
import { noteForwarded } from '../../server/domain/coach/hand-out.ts'
import type { KnownContext } from '../context.ts'
import type { Conversation } from '../conversation.ts'

const DONE = /^(?:已经?)?转(?:发)?(?:好|完)?了?$/

/** Behind a ready post that was given out: a bare 转 is about it for as long as the dialogue lasts. */
export const handedOutConversation: Conversation = {
  name: 'handed-out',
  title: '转备选',
  isOffer: true,
  version: 1,
  fields: [
    {
      name: 'offered',
      ask: () => '',
      isAnswer: text => DONE.test(text),
      read: async (_ctx, text) => (DONE.test(text) ? { value: 'done' } : { error: '' }),
    },
  ],
  async finish(ctx, answers) {
    const { actor, rt, update, updateId } = ctx as KnownContext
    const { category, groups } = await noteForwarded(rt, actor, {
      postId: Number(answers.postId),
      groupIds: [],
      at: update.at,
      updateId,
    })
    // the same word answers a notice that came meanwhile
    const [open] = await openDeliveriesOf(rt.db, actor.person.id)
    const notice = open ? `（备选消息）通知转好了的，请回复：转 ${open.noticeId}` : ''
    return `已登记：${category}，${groups} 个群各 1 条。谢谢！${notice}`
  },
}
