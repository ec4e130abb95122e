import type { UnreachedWhy, WeaknessId } from './result.ts'
import type { Outage } from './settings.ts'

/** What a weakness is called, and what an office does about it. */
export const weaknessWords: Record<WeaknessId, { name: string; deed: string }> = {
  'no-owner': { name: '没有群主', deed: '给群登记一位群主，否则通知没有人转。' },
  'owner-gone': {
    name: '群主不在名册上',
    deed: '核对名册，或换一位在岗的群主：不在名册上的人，说“转”也不作数。',
  },
  'owner-no-account': {
    name: '群主没有绑定账号',
    deed: '请上一级发绑定码（聊天里：发码 姓名），让群主绑定企业微信或公众号。',
  },
  'no-second-contact': {
    name: '单位没有第二联系人',
    deed: '除群主外再指定一位负责同志或专人，并绑定账号：群主不在时才有人代转。',
  },
  'owner-called-only': {
    name: '群主只能用模板消息叫',
    deed: '请群主绑定企业微信，或常在公众号里说句话：超过 48 小时没说话，就只能叫他来看。',
  },
}

export const unreachedWords: Record<UnreachedWhy, string> = {
  'no-owner': '没有群主',
  'owner-gone': '群主不在名册上',
  'owner-no-account': '群主没有绑定账号',
  'no-second-contact': '群主没办，单位没有第二联系人',
  'owner-called-only': '群主只能用模板消息叫',
  'nobody-acted': '请到的人都没有办',
  unknown: '不知道有没有发到，要人去群里看',
}

export const outageWords: Record<Outage, string> = {
  none: '都正常',
  wecom: '企业微信前两小时出故障',
  'official-account': '公众号前两小时出故障',
  both: '企业微信和公众号前两小时都出故障',
}

/** A stretch of time: 45 分钟, 3 小时 20 分钟. */
export function spanWords(minutes: number): string {
  const hours = Math.floor(minutes / 60)
  const rest = minutes % 60
  return [hours > 0 ? `${hours} 小时` : '', rest > 0 || hours === 0 ? `${rest} 分钟` : '']
    .filter(part => part !== '')
    .join(' ')
}
