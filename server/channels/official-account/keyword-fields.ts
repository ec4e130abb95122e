import { characters, refuseUnless } from './answers.ts'

interface FieldRule {
  /** In words for who has to correct it. */
  rule: string
  fits(value: string): boolean
}

const isUpTo = (most: number) => (value: string) => characters(value) <= most
const matches = (pattern: RegExp) => (value: string) => pattern.test(value)

const DAY = String.raw`(\d{4}年\d{1,2}月\d{1,2}日|\d{4}-\d{1,2}-\d{1,2})`
const TIME = String.raw`\d{1,2}:\d{2}(:\d{2})?`
const span = (moment: string) => new RegExp(`^${moment}( ?~ ?${moment})?$`)

/**
 * What the fields of template messages and subscription notices may hold, by the letters of their name: `thing1` is a
 * `thing`. A field of an unknown kind is left to the platform.
 * @see https://developers.weixin.qq.com/doc/service/api/notify/notify/api_sendnewsubscribemsg.html
 */
const rules: Record<string, FieldRule> = {
  thing: { rule: '20 个字以内', fits: isUpTo(20) },
  number: { rule: '32 位以内的数字，可带小数', fits: matches(/^(?=.{1,32}$)-?\d+(\.\d+)?$/) },
  letter: { rule: '32 个以内的字母', fits: matches(/^[A-Za-z]{1,32}$/) },
  symbol: { rule: '5 个以内的符号', fits: matches(/^[\p{P}\p{S}]{1,5}$/u) },
  character_string: { rule: '32 个以内的字母、数字、符号', fits: matches(/^[\x20-\x7e]{1,32}$/) },
  time: {
    rule: '时间，如 15:01 或 2019年10月1日 15:01',
    fits: matches(span(`(${DAY} ?)?${TIME}`)),
  },
  date: { rule: '日期，如 2019年10月1日，可带时间', fits: matches(span(`${DAY}( ?${TIME})?`)) },
  amount: { rule: '金额，如 ￥10.5元', fits: matches(/^[¥￥$€£]?\d{1,10}(\.\d+)?元?$/) },
  phone_number: { rule: '17 位以内的电话号码', fits: matches(/^[\d+\-() ]{1,17}$/) },
  car_number: { rule: '8 位以内的车牌号', fits: isUpTo(8) },
  name: {
    rule: '10 个以内的汉字，或 20 个以内的字母',
    fits: value => /^[\p{Script=Han}·]{1,10}$/u.test(value) || /^[A-Za-z .'-]{1,20}$/.test(value),
  },
  phrase: { rule: '5 个以内的汉字', fits: matches(/^\p{Script=Han}{1,5}$/u) },
}

/**
 * Fields in the platform's form.
 * @throws ChannelError `rejected` naming the first field that breaks its rule: a text cut short could say something else
 */
export function keywordData(fields: Record<string, string>): Record<string, { value: string }> {
  const entries = Object.entries(fields)
  refuseUnless(entries.length > 0, '通知没有内容')
  return Object.fromEntries(
    entries.map(([name, value]) => {
      refuseUnless(value.trim() !== '', `通知的 ${name} 没有内容`)
      const rule = rules[name.replace(/\d+$/, '')]
      if (rule) refuseUnless(rule.fits(value), `通知的 ${name} 应是${rule.rule}`)
      return [name, { value }]
    }),
  )
}

/** Shortens to `most` characters, and shows that it did. */
export function shortened(text: string, most: number): string {
  const all = [...text]
  return all.length <= most ? text : `${all.slice(0, most - 1).join('')}…`
}
