import policy from '../../../templates/policies/subsidies.json' with { type: 'json' }
import type { PayState } from '../../payments.ts'
import type { Templates } from '../../templates.ts'

/** `templates/policies/subsidies.json`. */
export interface SubsidyRules {
  kind: string
  programme: string
  unitKind: string
  amounts: { outOfProvince: string; inProvince: string }
  owed: { role: string; status: string; arrivedColumns: readonly string[] }
  wechat: {
    remark: string
    sceneId: string
    perception: string
    reports: readonly { type: string; content: string }[]
  }
  confirmHours: { value: number }
  retrySeconds: { value: readonly number[] }
  lookSeconds: Record<Exclude<PayState, 'paid' | 'failed' | 'cancelled'> | 'config', number>
  sendAgainAfterSeconds: { value: number }
  unknownLooks: { value: number; seconds: number }
}

export const subsidyRules: SubsidyRules = policy

/** What one volunteer gets, in fen. @source 山科大党发〔2021〕52号 四(一).1 */
export function subsidyFen(templates: Templates, isOutOfProvince: boolean): number {
  const { programme, amounts } = subsidyRules
  return templates.threshold(programme, isOutOfProvince ? amounts.outOfProvince : amounts.inProvince) * 100
}

/** 600000 as 6,000.00 元. */
export function yuan(fen: number): string {
  const [whole = '', cents = ''] = (Math.abs(fen) / 100).toFixed(2).split('.')
  return `${fen < 0 ? '-' : ''}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents} 元`
}

/** 6,000.5 as 600050 fen, without arithmetic on fractions; NaN: no amount. */
export function readYuan(text: string): number {
  const [, whole, cents = ''] = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text.replace(/[,，\s元]/g, '')) ?? []
  return whole === undefined ? Number.NaN : Number(whole) * 100 + Number(cents.padEnd(2, '0'))
}
