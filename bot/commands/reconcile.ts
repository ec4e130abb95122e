import { groupsOwnedBy, groupsUnder, openTasksOf, requestReading } from '../../db/queries/groups.ts'
import { openDeliveriesOf } from '../../db/queries/notices.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { finishTask } from '../../server/domain/groups/finish-task.ts'
import { type Reconciliation, reconcileGroup, reconcilePasted } from '../../server/domain/groups/reconcile.ts'
import { requireManagedGroup } from '../../server/domain/groups/register.ts'
import { listWaiting } from '../../server/domain/join-requests/decide.ts'
import type { Command } from '../command.ts'
import { listReply } from '../context.ts'
import { readNumber } from '../words.ts'

const basisWords: Record<Reconciliation['basis'], string> = {
  platform: '成员由平台读取',
  known: '微信群读不到成员，按审核登记核对；也可粘贴接龙名单：核对 群号 换行 名单',
  pasted: '按您粘贴的名单核对',
}

export const reconcileCommand: Command = {
  name: '核对',
  aliases: ['核对成员', '成员核对'],
  usage: '核对 群号：谁还没进群、谁不该在群里',
  example: '核对 12',
  audience: 'owner',
  takesText: true,
  async run(ctx, input) {
    const match = /^[\s#群号]*(\d{1,9})(?!\d|\s*[.、．)）])[\s:：,，]*(.*)$/s.exec(input)
    const owned = match ? [] : await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)
    const [only] = owned
    if (!match && (owned.length !== 1 || !only)) return '请写上群号，如：核对 12。发送“我的群”可以看到群号。'
    const group = await requireManagedGroup(
      ctx.rt,
      ctx.actor,
      match ? Number(match[1]) : (only?.id as number),
    )
    if (ctx.rt.templates.groupKind(group.programme, group.kind).admission === 'self-registration')
      return `“${group.name}”面向青年开放，不按名册核对。`
    const pasted = (match ? (match[2] as string) : input).trim()
    if (group.chatId && pasted === '') await requestReading(ctx.rt.db, group.chatId, ctx.rt.clock.now())
    const result =
      pasted === '' ? await reconcileGroup(ctx.rt, group) : await reconcilePasted(ctx.rt, group, pasted)
    const lines = [
      ...result.missing.map(person => `缺　${person.name}（${person.as}）`),
      ...result.extra.map(person => `多　${person.name}`),
    ]
    const head = `“${group.name}”：应在并已在群 ${result.present} 人，未进群 ${result.missing.length} 人，不该在群 ${result.extra.length} 人。`
    return listReply(ctx, head, lines, `（${basisWords[result.basis]}）`)
  },
}

export const tasksCommand: Command = {
  name: '任务',
  aliases: ['待办', '我的任务'],
  usage: '任务：请您在群里办的事',
  example: '任务',
  audience: 'owner',
  async run(ctx) {
    const owned = await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)
    const [top] = managingRoles(ctx.rt.templates, ctx.actor)
    const groups = owned.length > 0 || !top ? owned : await groupsUnder(ctx.rt.db, top.unitPath)
    const names = new Map(groups.map(group => [group.id, group.name]))
    const tasks = await openTasksOf(
      ctx.rt.db,
      groups.map(group => group.id),
    )
    const relays = [
      ...new Set((await openDeliveriesOf(ctx.rt.db, ctx.actor.person.id)).map(each => each.noticeId)),
    ]
    const waiting = await listWaiting(ctx.rt, ctx.actor)
    const others = [
      relays.length > 0
        ? `待转发的通知：${relays.join('、')}（原文请发：通知 ${relays[0]}，转好请回：转 ${relays[0]}）`
        : '',
      waiting.length > 0 ? `待审的入群申请：${waiting.length} 个（请发：待审）` : '',
    ].filter(line => line !== '')
    if (tasks.length === 0) return others.length > 0 ? others.join('\n') : '没有待办的事。'
    return listReply(
      ctx,
      `有 ${tasks.length} 件事：`,
      tasks.map(
        task =>
          `${task.id}　${names.get(task.groupId)}：${task.why}（${Number(task.dueOn.slice(5, 7))}月${Number(task.dueOn.slice(8))}日前）`,
      ),
      [...others, '系统能读到成员的群，办好后会自动销号；读不到的群请回复：完成 编号'].join('\n'),
    )
  },
}

export const taskDoneCommand: Command = {
  name: '完成',
  aliases: ['办好', '办好了', '已办', '已完成'],
  usage: '完成 编号：一件任务办好了',
  example: '完成 5',
  audience: 'owner',
  async run(ctx, input) {
    const id = readNumber(input)
    if (id === null) return '请写上任务编号，如：完成 5。发送“任务”可以看到编号。'
    const { groupName, outcome } = await finishTask(ctx.rt, ctx.actor, id)
    if (outcome === 'platform') return `“${groupName}”的成员由平台读取，系统看到变化后会自动销号，不用登记。`
    return outcome === 'word' ? `任务 ${id} 已登记为完成（以您的答复为准）。` : `任务 ${id} 已经销号了。`
  },
}
