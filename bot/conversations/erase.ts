import { eraseOwn, outlookOf } from '../../server/domain/privacy/erase.ts'
import { privacyPolicy } from '../../server/domain/privacy/policy.ts'
import type { KnownContext } from '../context.ts'
import type { Conversation } from '../conversation.ts'

/** Deletes what is known of somebody at their own wish: says what goes and what stays, and asks twice. */
export const eraseConversation: Conversation = {
  name: 'erase',
  title: '删除我的信息',
  version: 1,
  fields: [
    {
      name: 'wish',
      async ask(ctx) {
        const { person } = (ctx as KnownContext).actor
        const outlook = await outlookOf(ctx.rt, person.id)
        return [
          `将删除：${outlook.goes}。不能恢复。`,
          '会留下：',
          ...privacyPolicy.kept.map(each => `· ${each.what}：${each.why}`),
          '删除后要重新绑定，收不到通知。',
          ...(outlook.stands ? ['您还在名册上：没有了号码，入群要请群主当面核对。'] : []),
          ...(outlook.ownedGroups > 0 ? [`您是 ${outlook.ownedGroups} 个群的群主，请先换群主。`] : []),
          '要删除请回复“我要删除”，不删请回复“取消”。',
        ].join('\n')
      },
      read: async (_ctx, text) =>
        /^我?要?删除$/.test(text) ? { value: 'yes' } : { error: '要删除请回复“我要删除”。' },
    },
    {
      name: 'sure',
      ask: ctx => `再确认一次：真的要删除，请回复您的姓名“${(ctx as KnownContext).actor.person.name}”。`,
      read: async (ctx, text) =>
        text === (ctx as KnownContext).actor.person.name
          ? { value: 'yes' }
          : { error: '姓名不对，什么也没有删除。真的要删除，请回复您的姓名。' },
    },
  ],
  async finish(ctx) {
    await eraseOwn(ctx.rt, (ctx as KnownContext).actor)
    return '您的信息已经删除，这个账号不再与您对应，网页也已退出。以后还要用，请向上级组织要绑定码，或重新申请入群。'
  },
}
