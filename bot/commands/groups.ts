import { groupsJoinedBy, groupsOwnedBy, groupsUnder, unclaimedChatsOf } from '../../db/queries/groups.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import {
  changeOwner,
  claimChat,
  dissolveGroup,
  platforms,
  setJoinCode,
} from '../../server/domain/groups/register.ts'
import type { Command } from '../command.ts'
import { listReply } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import { findKindAndUnit, readGroupLine, registerGroupConversation } from '../conversations/register-group.ts'
import { readNumber } from '../words.ts'

export const myGroupsCommand: Command = {
  name: '我的群',
  aliases: ['群列表', '群'],
  usage: '我的群：群号、名称和人数',
  example: '我的群',
  audience: 'known',
  async run(ctx) {
    const { db } = ctx.rt
    const owned = await groupsOwnedBy(db, ctx.actor.person.id)
    const joined = (await groupsJoinedBy(db, ctx.actor.person.id)).filter(
      group => group.ownerId !== ctx.actor.person.id,
    )
    const [top] = managingRoles(ctx.rt.templates, ctx.actor)
    const below = top ? (await groupsUnder(db, top.unitPath)).length : 0
    const line = (group: (typeof owned)[number]) =>
      `${group.id}　${group.name}（${group.unitName}，${platforms[group.platform as keyof typeof platforms]}，${group.size} 人）`
    const parts = [
      ...owned.map(group => `群主　${line(group)}`),
      ...joined.map(group => `成员　${line(group)}`),
    ]
    const claims = ctx.update.channel === 'wecom' ? await unclaimedChatsOf(db, ctx.actor.address) : []
    const foot = [
      top ? `${top.unitName}及下级共登记 ${below} 个群。` : '',
      ...claims.map(chat => `待认领：${chat.name}（请回复：认领 ${chat.id} 群类型）`),
    ]
      .filter(line => line !== '')
      .join('\n')
    if (parts.length === 0)
      return `您还没有群。${foot}${foot.includes('\n') ? '\n' : ''}新建了群请发送“建群”；要加入群请发送“入群 群号”。`
    return listReply(ctx, `您的群（${parts.length} 个）：`, parts, foot)
  },
}

export const createGroupCommand: Command = {
  name: '建群',
  aliases: ['登记群'],
  usage: '建群：登记一个群（类型、平台、人数、名称、入群码）',
  example: '建群 团青群 微信群 86人 镇川青年之家 入群码 https://…',
  audience: 'known',
  takesText: true,
  async run(ctx, input) {
    await leave(ctx)
    const { answers, error } = await readGroupLine(ctx, input)
    const reply = await advance(ctx, registerGroupConversation, answers)
    return error === null ? reply : `${error}\n${reply}`
  },
}

export const claimCommand: Command = {
  name: '认领',
  aliases: [],
  usage: '认领 编号 群类型：登记您新建的客户群',
  example: '认领 3 团青群',
  audience: 'known',
  async run(ctx, input) {
    const match = /^#?(\d{1,9})[\s,，]*(\S.*)$/.exec(input)
    if (!match) return '请写上编号和群类型，如：认领 3 团青群'
    const claimId = Number(match[1])
    const what = await findKindAndUnit(ctx, match[2] as string)
    if ('error' in what) return what.error
    const group = await claimChat(ctx.rt, ctx.actor, claimId, what)
    return `已登记：${group.name}，群号 ${group.id}（${group.unitName}，${group.size} 人）。通知会以群发任务的方式请您确认。`
  },
}

export const joinCodeCommand: Command = {
  name: '入群码',
  aliases: [],
  usage: '入群码 群号 链接或口令：审核通过的人凭它入群',
  example: '入群码 12 https://work.weixin.qq.com/gm/…',
  audience: 'owner',
  takesText: true,
  async run(ctx, input) {
    const match = /^(\d+)\s+(\S.*)$/s.exec(input)
    if (!match) return '请写上群号和入群码，如：入群码 12 https://…'
    const group = await setJoinCode(ctx.rt, ctx.actor, Number(match[1]), match[2] as string)
    return `“${group.name}”的入群码已更新，审核通过的人会收到它。`
  },
}

export const changeOwnerCommand: Command = {
  name: '换群主',
  aliases: ['移交'],
  usage: '换群主 群号 姓名：把群交给另一位同志',
  example: '换群主 12 李小红',
  audience: 'owner',
  async run(ctx, input) {
    const match = /^#?(\d{1,9})[\s,，]*(?:给)?(\S+)(?:[\s,，]+(\S+))?$/.exec(input)
    if (!match) return '请写上群号和新群主姓名，如：换群主 12 李小红'
    const unitName = match[3]
    const { group, ownerName, isAboard } = await changeOwner(ctx.rt, ctx.actor, Number(match[1]), {
      name: match[2] as string,
      ...(unitName ? { unitName } : {}),
    })
    const aboard = isAboard ? '' : `\n${ownerName}还没有用绑定码绑定账号，收不到通知：请其上级发码。`
    return `“${group.name}”的群主已改为${ownerName}。请在微信里也移交群主（群管理 → 群主管理权转让）。${aboard}`
  },
}

export const dissolveCommand: Command = {
  name: '解散',
  aliases: ['解散群'],
  usage: '解散 群号：群不再使用',
  example: '解散 12',
  audience: 'owner',
  async run(ctx, input) {
    const id = readNumber(input)
    if (id === null) return '请写上群号，如：解散 12'
    const group = await dissolveGroup(ctx.rt, ctx.actor, id)
    return `“${group.name}”已登记为解散，从现在起不再收通知、不计入建群数。`
  },
}
