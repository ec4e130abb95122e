import { approveRequest, listWaiting, rejectRequest } from '../../server/domain/join-requests/decide.ts'
import type { Command } from '../command.ts'
import { listReply } from '../context.ts'
import { readNumber } from '../words.ts'

export const waitingCommand: Command = {
  name: '待审',
  aliases: ['审核'],
  usage: '待审：等您处理的入群申请',
  example: '待审',
  audience: 'owner',
  async run(ctx) {
    const waiting = await listWaiting(ctx.rt, ctx.actor)
    if (waiting.length === 0) return '没有等您处理的入群申请。'
    return listReply(
      ctx,
      `有 ${waiting.length} 个入群申请：`,
      waiting.map(each => `${each.id}　${each.groupName}：${each.text}（${each.explanation}）`),
      '请回复：同意 编号，或 拒绝 编号 理由',
    )
  },
}

export const approveCommand: Command = {
  name: '同意',
  aliases: ['通过'],
  usage: '同意 编号：让申请人入群',
  example: '同意 3',
  audience: 'owner',
  async run(ctx, input) {
    const match = /^(?:申请)?[\s#]*(\d{1,9})号?(?:[\s,，、-]+(?:第\s*)?(\d)\s*位?)?$/.exec(input)
    const id = match ? Number(match[1]) : readNumber(input)
    const waiting = input === '' ? await listWaiting(ctx.rt, ctx.actor) : []
    if (waiting.length === 0 && id === null) return '请写上申请编号，如：同意 3。发送“待审”可以看到编号。'
    if (waiting.length > 1)
      return `有 ${waiting.length} 个申请等您处理（${waiting.map(each => each.id).join('、')}），请写上编号，如：同意 ${waiting[0]?.id}`
    const { name, groupName } = await approveRequest(
      ctx.rt,
      ctx.actor,
      id ?? (waiting[0]?.id as number),
      match?.[2] ? Number(match[2]) : null,
    )
    return `已同意${name}加入“${groupName}”，入群方式已经发给本人。`
  },
}

export const rejectCommand: Command = {
  name: '拒绝',
  aliases: ['不同意', '驳回'],
  usage: '拒绝 编号 理由：不让申请人入群',
  example: '拒绝 3 不是本县志愿者',
  takesText: true,
  audience: 'owner',
  async run(ctx, input) {
    const match = /^(?:申请)?[\s#]*(\d{1,9})号?[\s,，、:：]*(.*)$/s.exec(input)
    if (!match) return '请写上申请编号，如：拒绝 3 不是本县志愿者。发送“待审”可以看到编号。'
    const { groupName } = await rejectRequest(
      ctx.rt,
      ctx.actor,
      Number(match[1]),
      (match[2] as string).slice(0, 100),
    )
    return `已拒绝该申请（${groupName}），理由已经告诉本人，本人可以重新申请。`
  },
}
