import type { NoticeAsk } from '../../../db/queries/notices.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { findCues } from '../messages/alert-cues.ts'
import { type Alert, findAlerts, shippedAlertFinder } from '../messages/alerts.ts'
import {
  type FalseAlarms,
  falseAlarmsFor,
  noFalseAlarms,
  StoppedText,
  type StoppingAlert,
} from '../messages/false-alarms.ts'
import { findPersonalData } from '../messages/personal-data.ts'
import { copyOf, MAX_COPY_BYTES, type Mark, markIn, markWords } from './mark.ts'

const MAX_LINK_BYTES = 300
const MAX_QUESTION = 60
const MAX_CHOICES = 8
const MAX_CHOICE = 20
const MAX_MEASURE = 4
/** Characters that are quoted on either side of what was found. */
const AROUND = 6

/** All words of a notice that anybody will read. */
export interface NoticeWords {
  body: string
  link?: string | null
  ask?: NoticeAsk | null
  fileNames?: readonly string[]
}

/** All texts of a notice that a check looks at, each by itself. */
function textsOf(words: string | NoticeWords): string[] {
  if (typeof words === 'string') return [words]
  const { body, link, ask, fileNames = [] } = words
  return [
    body,
    ...(link ? [decoded(link)] : []),
    ...(ask ? [ask.question, ...(ask.choices ?? [])] : []),
    ...fileNames,
  ]
}

/** `checkNotice`, without the alerts that offices have found to be false in these very words. */
export async function checkOutgoing(rt: DomainRuntime, words: string | NoticeWords): Promise<void> {
  checkNotice(words, await falseAlarmsFor(rt, textsOf(words)))
}

/** `checkSafety` in the same way. */
export async function checkOutgoingSafety(rt: DomainRuntime, words: NoticeWords): Promise<void> {
  checkSafety(words, await falseAlarmsFor(rt, textsOf(words)))
}

/**
 * Checks a notice before it is sent: that it is there, fits, and holds nothing that does not belong into a group.
 * @throws DomainError `notice.empty`, `notice.too_long`, `notice.secret`, `notice.privacy`, `notice.mark`, `notice.link`,
 *   `notice.ask`
 */
export function checkNotice(words: string | NoticeWords, passed: FalseAlarms = noFalseAlarms): void {
  const {
    body,
    link = null,
    ask = null,
    fileNames = [],
  } = typeof words === 'string' ? { body: words } : words
  if (body.trim() === '') throw new DomainError('notice.empty', '通知是空的。')
  // with the link and the mark its relayed copy must still be one message
  const bytes = Buffer.byteLength(copyOf({ body: body.trim(), link }, null))
  if (bytes > MAX_COPY_BYTES)
    throw new DomainError(
      'notice.too_long',
      `通知太长（${bytes} 字节，最多 ${MAX_COPY_BYTES} 字节，约 ${Math.floor(MAX_COPY_BYTES / 30) * 10} 个汉字${link === null ? '' : '，链接也算在内'}）。请缩短，或改发文件。`,
    )
  checkSafety({ body, link, ask, fileNames }, passed)
  checkMark('正文', body)
  if (link !== null) checkLink(link)
  if (ask !== null) checkAsk(ask)
}

/**
 * Copies are traced by their mark: one in the text would lead to another notice, or to none.
 * @param part what it is, in Chinese
 * @throws DomainError `notice.mark`
 */
export function checkMark(part: string, text: string): void {
  const mark = hiddenMark(text)
  if (mark !== null)
    throw new DomainError(
      'notice.mark',
      `${part}里有转发的记号${markWords(mark)}，会和真的记号混淆。请去掉后再发；是转发来的，请先用“出处”查清。`,
    )
}

/** The mark in a text, also where spaces tear it apart. */
export function hiddenMark(text: string): Mark | null {
  return markIn(squeezed(text).text)
}

/**
 * No classified or internal content may be in a group in any form (中少办发〔2017〕4号 五.1), and personal data does not belong
 * there either. It is not even kept as a draft.
 * @throws DomainError `notice.secret`, `notice.privacy`
 */
export function checkSafety(
  { body, link = null, ask = null, fileNames = [] }: NoticeWords,
  passed: FalseAlarms = noFalseAlarms,
): void {
  for (const { kind, index, length } of alertsIn(body)) {
    if (kind === 'safety' || passed.cover(kind, body)) continue
    const place = body.slice(Math.max(0, index - AROUND), index + length + AROUND)
    throw stopped(kind, '通知', place, body)
  }
  if (link !== null) checkLabel('链接', decoded(link), passed)
  if (ask !== null)
    for (const words of [ask.question, ...(ask.choices ?? [])]) checkLabel('要回答的问题', words, passed)
  for (const name of fileNames) checkLabel('文件名', name, passed)
}

/** What must not be in a group, where it stands in the text, whether it is written plainly or torn apart. */
export function alertsIn(text: string): Pick<Alert, 'kind' | 'index' | 'length'>[] {
  const close = squeezed(text)
  return [
    ...findAlerts(text),
    // as it is written too: squeezing joins what stands apart
    ...findAlerts(close.text).map(({ kind, index, length }) => {
      const begins = close.at[index] as number
      return { kind, index: begins, length: (close.at[index + length] as number) - begins }
    }),
  ]
}

/**
 * A text as somebody reads it who looks for what others hide in it: without spaces and signs that do not print, full-width
 * forms as plain ones. Lines stay apart: numbers one below the other are not one.
 * @returns `at`: where each UTF-16 unit of the text, and its end, stands in the original
 */
function squeezed(original: string): { text: string; at: number[] } {
  let text = ''
  const at: number[] = []
  let index = 0
  for (const character of original) {
    const plain = character.normalize('NFKC').replace(/[^\S\n]|\p{Cf}/gu, '')
    for (let unit = 0; unit < plain.length; unit++) at.push(index)
    text += plain
    index += character.length
  }
  return { text, at: [...at, original.length] }
}

/** Secrecy as it is marked on papers; the brackets tell it from talk of a secret. */
const MARKING = /[（(【〔［[]\s*(?:绝密|机密|秘密|内部)\s*[）)】〕］\]]/u
/** Cues that need no others beside them in a name of a few words (`templates/policies/alerts.json`). */
const MARKING_CUES = ['密级标注', '限制传播']

/**
 * Names and addresses are too short for likelihoods: a marking counts, and numbers of persons.
 * @param part what it is, in Chinese
 */
function checkLabel(part: string, written: string, passed: FalseAlarms): void {
  for (const text of [written, squeezed(written).text]) {
    const found = findInLabel(text)
    if (found && !passed.cover(found.alert, written)) throw stopped(found.alert, part, found.place, written)
  }
}

function findInLabel(text: string): { alert: StoppingAlert; place: string } | null {
  const cues = shippedAlertFinder().cues.filter(cue => MARKING_CUES.includes(cue.id))
  const place =
    MARKING.exec(text)?.[0] ??
    findCues(cues, text).map(hit => text.slice(hit.index, hit.index + hit.length))[0]
  if (place !== undefined) return { alert: 'secret', place }
  const datum = findPersonalData(text).find(({ kind }) => kind !== 'mobile')
  return datum
    ? {
        alert: 'privacy',
        place: text.slice(Math.max(0, datum.index - AROUND), datum.index + datum.length),
      }
    : null
}

function stopped(alert: StoppingAlert, part: string, place: string, text: string): StoppedText {
  const words =
    alert === 'secret'
      ? `${part}里可能有涉密或内部内容（“${place}”），不能在群里发（中少办发〔2017〕4号 五.1）。`
      : `${part}里有个人信息（“${place}”附近），请去掉后再发。`
  return new StoppedText(`notice.${alert}`, words, { alert, source: 'notice', text })
}

/** Whether an address leads to a page; `javascript:` and its like run something instead. */
export function isWebLink(link: string): boolean {
  return URL.canParse(link) && /^https?:\/\/[^\s]+$/i.test(link)
}

/** @throws DomainError `notice.link` */
export function checkLink(link: string): void {
  if (Buffer.byteLength(link) > MAX_LINK_BYTES)
    throw new DomainError('notice.link', `链接太长，最多 ${MAX_LINK_BYTES} 字节，请换一个短的。`)
  if (!isWebLink(link))
    throw new DomainError('notice.link', '链接不对：请写完整的网址，以 https:// 或 http:// 开头。')
}

function checkAsk({ kind, question, choices = [], measure }: NoticeAsk): void {
  const fault = (words: string) => new DomainError('notice.ask', words)
  if (question.trim() === '') throw fault('请写明要各单位回答什么。')
  if ([...question].length > MAX_QUESTION) throw fault(`要回答的问题最多 ${MAX_QUESTION} 字。`)
  if (measure !== undefined && [...measure].length > MAX_MEASURE)
    throw fault(`单位（如“人”）最多 ${MAX_MEASURE} 字。`)
  if (kind !== 'choice') return
  if (choices.length < 2 || choices.length > MAX_CHOICES)
    throw fault(`选项要有 2 到 ${MAX_CHOICES} 个，每行一个。`)
  if (choices.some(choice => choice.trim() === '' || [...choice].length > MAX_CHOICE))
    throw fault(`每个选项 1 到 ${MAX_CHOICE} 字。`)
  if (new Set(choices).size < choices.length) throw fault('有重复的选项。')
}

/** What an address says to people: names of files in it are often Chinese. */
function decoded(link: string): string {
  try {
    return decodeURIComponent(link)
  } catch {
    return link
  }
}
