import { latestNotices } from '../../db/queries/notices.ts'
import { chineseMoment } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import {
  noticeProgress,
  type PartProgress,
  type Progress,
  wakeOf,
} from '../../server/domain/notices/progress.ts'
import type { Command } from '../command.ts'
import { readNumber } from '../words.ts'

/** Units, or groups where there is no unit below, that are named. */
const WORST = 5

export const progressCommand: Command = {
  name: '回执',
  aliases: ['进度'],
  usage: '回执 [通知编号]：通知传达到哪里了，谁还没有',
  example: '回执 12',
  audience: 'manager',
  async run(ctx, input) {
    let id = readNumber(input)
    if (id === null) {
      const [top] = managingRoles(ctx.rt.templates, ctx.actor)
      const [latest] = top ? await latestNotices(ctx.rt.db, top.unitPath, 1) : []
      if (!latest) return '还没有通知。'
      id = latest.id
    }
    const progress = await noticeProgress(ctx.rt, ctx.actor, id)
    const { all, levels } = progress.waterline
    const head = [
      `通知 ${id}（${progress.unitName}，${chineseMoment(progress.issuedAt)}发，${chineseMoment(progress.deadlineAt)}截止）`,
      ...(progress.withdrawnAt ? [`已在${chineseMoment(progress.withdrawnAt)}撤回。`] : []),
      `已到 ${progress.posted}/${progress.groups} 个群${all?.medianSeconds == null ? '' : `，过半的群用了${took(all.medianSeconds)}`}`,
      ...levels.map(levelLine),
      ...(all && all.opened > 0 ? [`网页上 ${all.opened} 人打开过，${all.acknowledged} 人说已读`] : []),
      ...(all && progress.ask
        ? [`已答复 ${all.answered}/${all.asked} 个单位：${progress.ask.question}`]
        : []),
    ]
    if (!all || all.posted === all.groups) return [...head, '全部传达到位。'].join('\n')
    const { all: wake } = await wakeOf(ctx.rt, id, progress.path)
    return [
      ...head,
      ...worst(progress, ctx.rt.clock.now()),
      wake && wake.byContact + wake.byNobody > 0
        ? `群主叫不到的有 ${wake.byContact + wake.byNobody} 个群，其中 ${wake.byContact} 个可找本单位其他同志。`
        : '',
      `各单位、各群：${ctx.rt.publicUrl}/console/notices/${id}`,
    ]
      .filter(line => line !== '')
      .join('\n')
  },
}

function levelLine({ name, groups, posted, received, failed }: PartProgress): string {
  const parts = [
    received > 0 ? `${received} 个群主已收到` : '',
    failed > 0 ? `${failed} 个无法送达` : '',
  ].filter(part => part !== '')
  return `${name}：${posted}/${groups}${groups > posted && parts.length > 0 ? `（${parts.join('，')}）` : ''}`
}

/** The units that lack most, or the groups where few are left. */
function worst({ waterline, missing, groups, posted, issuedAt }: Progress, now: Date): string[] {
  const dry = groups - posted
  if (dry <= WORST)
    return [
      '还没有到的群：',
      ...missing
        .slice(0, WORST)
        .map(each => `${each.unitName}　${each.groupName}（群主 ${each.ownerName ?? '无'}）`),
    ]
  const behind = waterline.children.filter(child => child.posted < child.groups).slice(0, WORST)
  return [
    `还差 ${dry} 个群，差得最多的：`,
    ...behind.map(child => {
      const since = Math.max(child.drySince?.getTime() ?? 0, issuedAt.getTime())
      return `${child.name}　差 ${child.groups - child.posted}/${child.groups}，等了${took((now.getTime() - since) / 1000)}`
    }),
  ]
}

/** ` 25 分钟`, ` 3 小时`, ` 2 天` */
function took(seconds: number): string {
  if (seconds < 60) return '不到 1 分钟'
  if (seconds < 5400) return ` ${Math.round(seconds / 60)} 分钟`
  return seconds < 172_800 ? ` ${Math.round(seconds / 3600)} 小时` : ` ${Math.round(seconds / 86_400)} 天`
}
