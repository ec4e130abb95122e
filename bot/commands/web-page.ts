import { managingRoles } from '../../server/domain/actor.ts'
import { makeSignInLink } from '../../server/domain/sign-in/sessions.ts'
import type { Command } from '../command.ts'

/** Never in a group: whoever opens the link is signed in as the one who asked for it. */
export const webPageCommand: Command = {
  name: '网页',
  aliases: ['后台', '登录'],
  usage: '网页：登录网页的链接，看进度、通知和自己的信息',
  example: '网页',
  audience: 'known',
  async run(ctx) {
    const isKeeper = ctx.actor.ownsGroups || managingRoles(ctx.templates, ctx.actor).length > 0
    const who = { personId: ctx.actor.person.id, identityId: ctx.actor.identityId }
    const link = await makeSignInLink(ctx.rt, who, isKeeper ? '/console' : '/me')
    return `请点开登录（10 分钟内有效，用一次；请勿转发给别人）：\n${link}`
  },
}
