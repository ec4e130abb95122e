import { dayOf } from '../../clock.ts'
import { alertsIn, hiddenMark } from './check.ts'

/** Characters of the original by which people know it again. */
const FIRST_CHARACTERS = 20

export interface NamedNotice {
  id: number
  body: string
  issuedAt: Date
}

/** What a correction says: which notice it corrects, then the whole text as it is to be. */
export function correctionText(original: NamedNotice, body: string): string {
  return `【更正】${nameOf(original)}有更正，请以这一条为准：\n${body.trim()}`
}

/** The corrected text alone, without the line that names the original. */
export function correctedText(correctionBody: string): string {
  const end = correctionBody.indexOf('\n')
  return correctionBody.startsWith('【更正】') && end >= 0 ? correctionBody.slice(end + 1) : correctionBody
}

/** What a withdrawal says to those whom the notice has reached. */
export function withdrawalText(original: NamedNotice, reason: string): string {
  const because = reason.trim().replace(/[。．.！!\s]+$/, '')
  return [
    `【撤回】${nameOf(original)}已经撤回，请不要按它办理，也不要再转发。`,
    `原因：${because}。`,
    '已经转到群里的，请在群里撤回；撤不回的，请把这一条转到群里告知大家。',
  ].join('\n')
}

/** What an owner is told whose request was taken back before they relayed it. */
export function recalledText(original: NamedNotice, unitName: string): string {
  return `【撤回】${unitName}的通知 ${original.id} 已经撤回，不用转发了。要是已经转到群里，请在群里撤回或告知大家。`
}

/** What somebody is told who was asked to see to others' groups. */
export function askClosedText(original: NamedNotice, unitName: string): string {
  return `【撤回】${unitName}的通知 ${original.id} 已经撤回，之前请您协助传达的群不用再管了。`
}

/** 9月7日的通知“各乡镇团委：请于本周……”（通知 12） */
function nameOf({ id, body, issuedAt }: NamedNotice): string {
  const day = dayOf(issuedAt)
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日的通知${firstWords(body)}（通知 ${id}）`
}

/** Not quoted when they hold what must not be in a notice: that may be why it is withdrawn, and must not hinder it. */
function firstWords(body: string): string {
  const line = correctedText(body).replace(/\s+/g, ' ').trim()
  const characters = [...line]
  const words = characters.slice(0, FIRST_CHARACTERS).join('')
  // an alert may begin in the quoted words and end behind them
  const isFaulty = hiddenMark(line) !== null || alertsIn(line).some(alert => alert.index < words.length)
  return isFaulty ? '' : `“${words}${characters.length > FIRST_CHARACTERS ? '……' : ''}”`
}
