import { chineseMoment } from '../../server/clock.ts'
import { bindByCode } from '../../server/domain/identities/bind.ts'
import { issueBindingCode } from '../../server/domain/identities/issue-code.ts'
import type { Command } from '../command.ts'

export const bindCommand: Command = {
  name: '绑定',
  aliases: [],
  usage: '绑定 绑定码：把这个账号绑定到您本人',
  example: '绑定 7KXM2PQ9',
  audience: 'anyone',
  takesWords: true,
  async run(ctx, input) {
    if (input === '') return '请写上绑定码，如：绑定 7KXM2PQ9。绑定码由上一级组织发给您，一次有效。'
    const binding = await bindByCode(ctx.rt, ctx.actor, input)
    if ('refused' in binding) return binding.refused
    const { name, duties } = binding
    const as = duties.length > 0 ? `（${duties.slice(0, 3).join('、')}）` : ''
    return `绑定成功：${name}${as}。发送“帮助”看看能做什么。`
  },
}

export const issueCodeCommand: Command = {
  name: '发码',
  aliases: ['绑定码'],
  usage: '发码 姓名 [单位]：给下级同志一次性绑定码',
  example: '发码 王小明 镇川镇',
  audience: 'manager',
  async run(ctx, input) {
    const [name, unitName] = input.split(/\s+/)
    if (!name) return '请写上姓名，如：发码 王小明 镇川镇'
    const issued = await issueBindingCode(ctx.rt, ctx.actor, { name, ...(unitName ? { unitName } : {}) })
    return [
      `${issued.unitName}${issued.title} ${issued.personName} 的绑定码：${issued.code}`,
      `请只发给本人（${chineseMoment(issued.expiresAt)}前有效，用过即作废）。请对方向机器人发送：绑定 ${issued.code}`,
    ].join('\n')
  },
}
