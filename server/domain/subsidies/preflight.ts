import { yuan } from './rules.ts'

export interface PreflightInput {
  way: 'wechat' | 'bank'
  items: readonly { name: string; fen: number; identityId: number | null }[]
  /** What is left of the year's budget, in fen; null: none was set. */
  budgetLeft: number | null
  /** What the merchant may pay, in fen; null: no merchant is configured. */
  limits: { bill: number; personDay: number; day: number } | null
  /** Promised today by lists that were approved before. */
  promisedToday: number
}

export interface PreflightStop {
  code:
    | 'empty'
    | 'budget.none'
    | 'budget'
    | 'merchant'
    | 'limit.bill'
    | 'limit.person-day'
    | 'limit.day'
    | 'account'
  words: string
}

/**
 * What stands in the way of paying a list, each with the limit named. A payment is never split: what is too large for the
 * platform goes to the bank.
 */
export function preflight(input: PreflightInput): PreflightStop[] {
  const { way, items, budgetLeft, limits, promisedToday } = input
  const stops: PreflightStop[] = []
  const stop = (code: PreflightStop['code'], words: string) => stops.push({ code, words })
  const total = items.reduce((sum, item) => sum + item.fen, 0)
  if (items.length === 0) stop('empty', '名单里没有人。')
  if (budgetLeft === null) stop('budget.none', '还没有设今年的预算。')
  else if (total > budgetLeft)
    stop(
      'budget',
      `名单共 ${yuan(total)}，今年的预算还剩 ${yuan(Math.max(0, budgetLeft))}，超出 ${yuan(total - budgetLeft)}。`,
    )
  if (way === 'bank') return stops
  if (limits === null) {
    stop('merchant', '没有配置微信支付商户，只能导出名单交银行发放。')
    return stops
  }
  const instead = '一笔补贴不能拆开付：请申请提高限额，或导出名单交银行发放。'
  const overBill = items.filter(item => item.fen > limits.bill)
  if (overBill.length > 0)
    stop('limit.bill', `有 ${overBill.length} 人的金额超过微信支付单笔限额 ${yuan(limits.bill)}。${instead}`)
  const overDay = items.filter(item => item.fen > limits.personDay)
  if (overDay.length > 0)
    stop(
      'limit.person-day',
      `有 ${overDay.length} 人的金额超过单人单日限额 ${yuan(limits.personDay)}。${instead}`,
    )
  if (total + promisedToday > limits.day)
    stop(
      'limit.day',
      `名单共 ${yuan(total)}${promisedToday > 0 ? `，今天已批准 ${yuan(promisedToday)}` : ''}，超过商户单日限额 ${yuan(limits.day)}。请分几天提交，或申请提高限额。`,
    )
  const noAccount = items.filter(item => item.identityId === null)
  if (noAccount.length > 0)
    stop(
      'account',
      `有 ${noAccount.length} 人没有绑定公众号，微信付不到：${noAccount
        .slice(0, 5)
        .map(item => item.name)
        .join('、')}${noAccount.length > 5 ? '等' : ''}。请他们先绑定，或移出名单另交银行。`,
    )
  return stops
}
