import { refuse } from '../api-error.ts'
import { type Body, isRecord } from './fields.ts'

const count = (value: string) => [...value].length
const isMoment = (value: string, needsTime: boolean, needsDay: boolean): boolean =>
  value.split('~').every(part => {
    const found = /^ ?(?:(\d{4})[年-](\d{1,2})[月-](\d{1,2})日?)? ?(?:(\d{1,2}):(\d{2})(?::\d{2})?)? ?$/.exec(
      part,
    )
    if (!found) return false
    const [, year, month, day, hour, minute] = found
    const dayIsFine = year === undefined ? !needsDay : Number(month) <= 12 && Number(day) <= 31
    const timeIsFine = hour === undefined ? !needsTime : Number(hour) < 24 && Number(minute) < 60
    return dayIsFine && timeIsFine
  })

/**
 * The form of each kind of field, by the letters of its name.
 * @see developers.weixin.qq.com/doc/service/api/notify/notify/api_sendnewsubscribemsg
 */
const KINDS: Record<string, (value: string) => boolean> = {
  thing: value => count(value) <= 20,
  number: value => count(value) <= 32 && !Number.isNaN(Number(value)) && /^[-.\d]+$/.test(value),
  letter: value => count(value) <= 32 && /^[a-z]+$/i.test(value),
  symbol: value => count(value) <= 5 && !/[\p{L}\p{N}\p{Cc}]/u.test(value),
  character_string: value => count(value) <= 32 && !/[^\x20-\x7e]/.test(value),
  time: value => isMoment(value, true, false),
  date: value => isMoment(value, false, true),
  amount: value => /^\p{Sc}?\d{1,10}(\.\d+)?元?$/u.test(value),
  phone_number: value => count(value) <= 17 && /^[-+\d() ]+$/.test(value),
  car_number: value => count(value) <= 8,
  name: value => (/^[a-z .'-]+$/i.test(value) ? count(value) <= 20 : count(value) <= 10 && !/\d/.test(value)),
  phrase: value => count(value) <= 5 && !/[^\p{Script=Han}]/u.test(value),
}

/** @throws ApiError 47003 naming the first field that is missing or has a wrong form */
export function readKeywords(names: string[], data: Body): { name: string; value: string }[] {
  return names.map(name => {
    const entry = data[name]
    const value = isRecord(entry) ? entry.value : undefined
    if (typeof value !== 'string' || value === '')
      refuse(47003, `argument invalid! data.${name}.value is empty`)
    const fits = KINDS[name.replace(/\d+$/, '')] ?? (() => true)
    if (!fits(value)) refuse(47003, `argument invalid! data.${name}.value invalid`)
    return { name, value }
  })
}
