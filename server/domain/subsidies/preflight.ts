import { yuan } from './rules.ts'

export interface PreflightInput {
  way: 'wechat' | 'bank'
  items: readonly { name: string; fen: number; identityId: number | null }[]
  /** What the roster says otherwise now than when the list was made: `张三（不在岗）`. */
  outdated: readonly string[]
  /** Who may be one human with another who is on the list or paid: `张三和李四`. */
  doubled: readonly string[]
  /** What is left of the year's budget, in fen; null: none was set. */
  budgetLeft: number | null
  /** What the merchant may pay, in fen; null: the university has none here. */
  limits: { bill: number; personDay: number; day: number } | null
  /** Promised today by lists that were approved before. */
  promisedToday: number
}

export interface PreflightStop {
  code:
    | 'empty'
    | 'roster'
    | 'doubled'
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
  const { way, items, outdated, doubled, budgetLeft, limits, promisedToday } = input
  const stops: PreflightStop[] = []
  const stop = (code: PreflightStop['code'], words: string) => stops.push({ code, words })
  const total = items.reduce((sum, item) => sum + item.fen, 0)
  if (items.length === 0) stop('empty', '名单里没有人。')
  if (outdated.length > 0)
    stop(
      'roster',
      `制单以后名册变了，有 ${outdated.length} 人和名单不一样：${few(outdated)}。请把不该发的移出名单，该改的作废这份、重新制单。`,
    )
  if (doubled.length > 0)
    stop(
      'doubled',
      `有人的身份证号，或者姓名和手机号，和名单里另一个人或已经发过的人相同，可能会发两次：${few(doubled)}。请核对名册，把重复的移出名单。`,
    )
  if (budgetLeft === null) stop('budget.none', '还没有设今年的预算。')
  else if (total > budgetLeft)
    stop(
      'budget',
      `名单共 ${yuan(total)}，今年的预算还剩 ${yuan(Math.max(0, budgetLeft))}，超出 ${yuan(total - budgetLeft)}。`,
    )
  if (way === 'bank') return stops
  if (limits === null) {
    stop('merchant', '本校没有在这里配置微信支付商户，只能导出名单交银行发放。')
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
      `有 ${noAccount.length} 人没有绑定公众号，微信付不到：${few(noAccount.map(item => item.name))}。请他们先绑定再重新制单，或移出名单另交银行。`,
    )
  return stops
}

const few = (names: readonly string[]) => `${names.slice(0, 5).join('、')}${names.length > 5 ? '等' : ''}`
