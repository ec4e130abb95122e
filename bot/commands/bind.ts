import { chineseMoment } from '../../server/clock.ts'
import { bindByCode } from '../../server/domain/identities/bind.ts'
import { issueBindingCode } from '../../server/domain/identities/issue-code.ts'
import type { Command } from '../command.ts'

export const bindCommand = {
  name: '绑定',
  aliases: ['绑定码'],
  usage: '绑定 绑定码：把这个账号绑定到您本人',
  example: '绑定 7KXM2PQ9',
  audience: 'anyone',
  takesWords: true,
  accepts: input => [...input].length <= 12 || codeIn(input) !== null,
  async run(ctx, input) {
    if (input === '') return '请写上绑定码，如：绑定 7KXM2PQ9。绑定码由上一级组织发给您，一次有效。'
    const code = codeIn(input)
    if (code === null)
      return '绑定码是 8 位字母和数字，如：绑定 7KXM2PQ9。要给下级同志发码，请发送：发码 姓名'
    const binding = await bindByCode(ctx.rt, ctx.actor, code)
    if ('refused' in binding) return binding.refused
    const { name, duties, toClaim } = binding
    const as = duties.length > 0 ? `（${duties.slice(0, 3).join('、')}）` : ''
    const claims = toClaim.map(
      chat =>
        `您的客户群“${chat.name}”还没有登记，请回复：认领 ${chat.id} 群类型（如：认领 ${chat.id} 团青群）`,
    )
    return [`绑定成功：${name}${as}。发送“帮助”看看能做什么。`, ...claims].join('\n')
  },
} satisfies Command

/**
 * The code in what somebody typed or pasted: in small letters, with spaces, or within the officer's whole message. Null
 * when nothing in it looks like one.
 */
export function codeIn(text: string): string | null {
  const upper = text.toUpperCase()
  const whole = upper.replace(/[\s-]/g, '')
  if (/^[0-9A-Z]{8}$/.test(whole)) return whole
  return /(?<![0-9A-Z/.])[0-9A-Z]{8}(?![0-9A-Z])/.exec(upper)?.[0] ?? null
}

export const issueCodeCommand: Command = {
  name: '发码',
  aliases: ['发绑定码'],
  usage: '发码 姓名 [单位]：给下级同志一次性绑定码',
  example: '发码 王小明 镇川镇',
  audience: 'manager',
  takesWords: true,
  accepts: input => [...input].length <= 30,
  async run(ctx, input) {
    const [name, ...rest] = input.replace(/^给/, '').split(/[\s,，、]+/)
    if (!name) return '请写上姓名，如：发码 王小明 镇川镇'
    const tail = rest.find(word => /^\d{4}$/.test(word))
    const unitName = rest.find(word => word !== tail)
    const issued = await issueBindingCode(ctx.rt, ctx.actor, {
      name,
      ...(unitName ? { unitName } : {}),
      ...(tail ? { phoneTail: tail } : {}),
    })
    return [
      `${issued.unitName}${issued.title} ${issued.personName} 的绑定码：${issued.code}`,
      `请只发给本人（${chineseMoment(issued.expiresAt)}前有效，用过即作废）。请对方向机器人发送：绑定 ${issued.code}`,
    ].join('\n')
  },
}
