import { CHOICE_KEY } from '../../server/domain/join-requests/ask-review.ts'
import {
  approveRequest,
  type Choice,
  listWaiting,
  rejectRequest,
} from '../../server/domain/join-requests/decide.ts'
import { undoDecision } from '../../server/domain/join-requests/undo.ts'
import { noteTap } from '../../server/domain/outgoing/card.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
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
    await noteCardTap(ctx)
    const { name, groupName } = await approveRequest(
      ctx.rt,
      ctx.actor,
      id ?? (waiting[0]?.id as number),
      match?.[2] ? { place: Number(match[2]) } : chosenOnCard(ctx),
    )
    return `已同意${name}加入“${groupName}”，入群方式已经发给本人。弄错了请回复：撤销 ${id ?? waiting[0]?.id}`
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
    await noteCardTap(ctx)
    const id = Number(match[1])
    const { groupName } = await rejectRequest(ctx.rt, ctx.actor, id, (match[2] as string).slice(0, 100))
    return `已拒绝该申请（${groupName}），理由已经告诉本人，本人可以重新申请。弄错了请回复：撤销 ${id}`
  },
}

export const undoCommand: Command = {
  name: '撤销',
  aliases: ['撤回审核', '撤销审核'],
  usage: '撤销 编号：撤回审核结论',
  example: '撤销 3 认错人',
  takesText: true,
  // 撤销 is said of much else
  accepts: input => input === '' || /^(?:申请)?[\s#]*\d{1,9}/.test(input),
  audience: 'owner',
  async run(ctx, input) {
    const match = /^(?:申请)?[\s#]*(\d{1,9})号?[\s,，、:：]*(.*)$/s.exec(input)
    if (!match) return '请写上申请编号，如：撤销 3 认错人了。'
    const id = Number(match[1])
    const { groupName, was, isToRemove } = await undoDecision(
      ctx.rt,
      ctx.actor,
      id,
      (match[2] as string).slice(0, 100),
    )
    const done =
      was === 'rejected'
        ? '已撤回拒绝'
        : `已撤回同意，入群码和由此认定的身份作废${isToRemove ? '；此人已在群里，已请群主移出' : ''}`
    return `${done}（${groupName}）。申请 ${id} 重新等待处理，请回复：同意 ${id}，或 拒绝 ${id} 理由`
  },
}

/** What was chosen in the card's list before its button was tapped. */
function chosenOnCard({ update }: KnownContext): Choice {
  if (update.kind !== 'tapped') return null
  const [personId] = update.selected.find(each => each.question === CHOICE_KEY)?.options ?? []
  return personId === undefined ? null : { personId: Number(personId) }
}

/** A tap brings a fresh way to change the card that was tapped. */
async function noteCardTap({ rt, update }: KnownContext): Promise<void> {
  if (update.kind === 'tapped') await noteTap(rt, update)
}
