import { unitFindingsOf } from '../../db/queries/findings.ts'
import { groupsOwnedBy, groupsUnder, openTasksOf, requestReading } from '../../db/queries/groups.ts'
import { openDeliveriesOf } from '../../db/queries/notices.ts'
import { chineseMoment } from '../../server/clock.ts'
import { managesGroup, managingRoles } from '../../server/domain/actor.ts'
import { isReadByPlatform } from '../../server/domain/groups/check-composition.ts'
import { finishTask } from '../../server/domain/groups/finish-task.ts'
import { type Reconciliation, readPasted, reconcileGroup } from '../../server/domain/groups/reconcile.ts'
import { requireManagedGroup } from '../../server/domain/groups/register.ts'
import { endRollCall, openRollCall } from '../../server/domain/groups/roll-call.ts'
import { listWaiting } from '../../server/domain/join-requests/decide.ts'
import { noteTap, settleCards } from '../../server/domain/outgoing/card.ts'
import type { Command } from '../command.ts'
import { listReply } from '../context.ts'
import { readNumber } from '../words.ts'

const basisWords: Record<Reconciliation['basis'], string> = {
  platform: '成员由平台读取',
  known: '这个群读不到成员，按审核登记核对',
  pasted: '按粘贴的接龙名单核对',
  roll_call: '按群里的签到核对',
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
      pasted === '' ? await reconcileGroup(ctx.rt, group) : await readPasted(ctx.rt, ctx.actor, group, pasted)
    const lines = [
      ...result.missing.map(person => `缺　${person.name}（${person.as}）`),
      ...result.extra.map(person => `多　${person.name}`),
    ]
    const elsewhere = result.elsewhere.length
    const head = `“${group.name}”：应在并已在群 ${result.present} 人，未进群 ${result.missing.length} 人，不该在群 ${result.extra.length} 人。${elsewhere > 0 ? `另有 ${elsewhere} 人在本单位同类的另一个群，不算未进群。` : ''}`
    const foot = [
      `（${basisWords[result.basis]}）`,
      ...(isReadByPlatform(group) || pasted !== ''
        ? []
        : [
            `要核得更准：发送“核对 ${group.id}”，换行粘贴群里的接龙；或发送“签到 ${group.id}”，把签到链接发到群里。`,
          ]),
    ]
    return listReply(ctx, head, lines, foot.join('\n'))
  },
}

/** What a person is asked about the units that they run; the page has the rest. */
const MAX_OF_UNITS = 200

const dueWords = ({ dueOn }: { dueOn: string }) =>
  `${Number(dueOn.slice(5, 7))}月${Number(dueOn.slice(8))}日前`

export const tasksCommand: Command = {
  name: '任务',
  aliases: ['待办', '我的任务'],
  usage: '任务：请您在群里办的事',
  example: '任务',
  audience: 'owner',
  async run(ctx) {
    // an owner who has gone from the roster reads no names any more
    const owned = (await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)).filter(group =>
      managesGroup(ctx.rt.templates, ctx.actor, group),
    )
    const [top] = managingRoles(ctx.rt.templates, ctx.actor)
    const groups = owned.length > 0 || !top ? owned : await groupsUnder(ctx.rt.db, top.unitPath)
    const names = new Map(groups.map(group => [group.id, group.name]))
    const tasks = await openTasksOf(
      ctx.rt.db,
      groups.map(group => group.id),
    )
    const ofUnits = await unitFindingsOf(ctx.rt.db, ctx.actor.person.id, MAX_OF_UNITS)
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
    const count = tasks.length + ofUnits.length
    if (count === 0) return others.length > 0 ? others.join('\n') : '没有待办的事。'
    return listReply(
      ctx,
      `有 ${count} 件事：`,
      [
        ...tasks.map(task => `${task.id}　${names.get(task.groupId)}：${task.why}（${dueWords(task)}）`),
        ...ofUnits.map(task => `${task.id}　${task.why}（${dueWords(task)}）`),
      ],
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
    if (ctx.update.kind === 'tapped') await noteTap(ctx.rt, ctx.update)
    const { placeName, outcome } = await finishTask(ctx.rt, ctx.actor, id)
    if (outcome !== 'platform' && outcome !== 'stands')
      await settleCards(ctx.rt, { kind: 'task', id }, '已办好')
    switch (outcome) {
      case 'platform':
        return `“${placeName}”的成员由平台读取，系统看到变化后会自动销号，不用登记。`
      case 'word':
        return `任务 ${id} 已登记为完成（以您的答复为准）。`
      case 'was_closed':
        return `任务 ${id} 已经销号了。`
      case 'checked':
        return `任务 ${id}：系统核对过，已经办好，销号了。`
      case 'stands':
        return `任务 ${id}：系统核对过，“${placeName}”的情况还没有变，暂不能销号。办好后再试，或等夜里自动核对。`
    }
  },
}

export const rollCallCommand: Command = {
  name: '签到',
  aliases: ['群签到', '发起签到'],
  usage: '签到 群号：发签到链接点名',
  example: '签到 12',
  audience: 'owner',
  async run(ctx, input) {
    const match = /^[\s#群号]*(\d{1,9})\s*(结束|完|停)?/.exec(input)
    if (!match) return '请写上群号，如：签到 12。发送“我的群”可以看到群号。'
    const groupId = Number(match[1])
    if (match[2]) {
      const { group, result } = await endRollCall(ctx.rt, ctx.actor, groupId)
      return listReply(
        ctx,
        `“${group.name}”签到结束：应在并已签到 ${result.present} 人，没有签到 ${result.missing.length} 人，不该在群 ${result.extra.length} 人。`,
        [
          ...result.missing.map(person => `未签到　${person.name}（${person.as}）`),
          ...result.extra.map(person => `多　${person.name}`),
        ],
        '没有签到的请核实是否在群；已生成任务，发送“任务”可看。',
      )
    }
    const { group, link, closesAt, count } = await openRollCall(ctx.rt, ctx.actor, groupId)
    return [
      `“${group.name}”的签到开着（已有 ${count} 人），请把下面这段话转到群里：`,
      `【签到】请本群成员点开签到，${chineseMoment(closesAt)}截止：${link}`,
      `到时自动结束并核对；要提前结束请回复：签到 ${groupId} 结束`,
    ].join('\n')
  },
}
