import {
  closeTask,
  groupsOwnedBy,
  groupsUnder,
  openTasksOf,
  requestReading,
  taskById,
} from '../../db/queries/groups.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { type Reconciliation, reconcileGroup, reconcilePasted } from '../../server/domain/groups/reconcile.ts'
import { requireManagedGroup } from '../../server/domain/groups/register.ts'
import { occupationChoices } from '../../server/domain/join-requests/self-register.ts'
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
  async run(ctx, input) {
    const match = /^#?(\d+)\s*(.*)$/s.exec(input)
    if (!match) return '请写上群号，如：核对 12。发送“我的群”可以看到群号。'
    const group = await requireManagedGroup(ctx.rt, ctx.actor, Number(match[1]))
    if (
      occupationChoices(ctx.rt, group.programme).length > 0 &&
      ctx.rt.templates.groupKind(group.programme, group.kind).admission === 'self-registration'
    )
      return `“${group.name}”面向青年开放，不按名册核对。`
    const pasted = (match[2] as string).trim()
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
  aliases: ['待办'],
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
    if (tasks.length === 0) return '没有待办的事。'
    return listReply(
      ctx,
      `有 ${tasks.length} 件事：`,
      tasks.map(
        task =>
          `${task.id}　${names.get(task.groupId)}：${task.why}（${Number(task.dueOn.slice(5, 7))}月${Number(task.dueOn.slice(8))}日前）`,
      ),
      '系统能读到成员的群，办好后会自动销号；读不到的群请回复：完成 编号',
    )
  },
}

export const taskDoneCommand: Command = {
  name: '完成',
  aliases: ['办好'],
  usage: '完成 编号：一件任务办好了',
  example: '完成 5',
  audience: 'owner',
  async run(ctx, input) {
    const id = readNumber(input)
    const task = id === null ? null : await taskById(ctx.rt.db, id)
    if (!task) return '没有这个编号的任务。发送“任务”可以看到编号。'
    const group = await requireManagedGroup(ctx.rt, ctx.actor, task.groupId)
    if (group.chatId) {
      await requestReading(ctx.rt.db, group.chatId, ctx.rt.clock.now())
      return `“${group.name}”的成员由平台读取，系统看到变化后会自动销号，不用登记。`
    }
    const isMine = await closeTask(ctx.rt.db, task.id, 'word', ctx.rt.clock.now())
    return isMine ? `任务 ${task.id} 已登记为完成（以您的答复为准）。` : `任务 ${task.id} 已经销号了。`
  },
}
