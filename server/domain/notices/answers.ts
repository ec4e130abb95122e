import { createHash } from 'node:crypto'
import {
  answerFile,
  insertAnswerFile,
  lockAnswer,
  putAnswer,
  type Question,
  questionsFor,
  type UnitToAnswer,
  unitsToAnswer,
} from '../../../db/queries/notice-answers.ts'
import { type NoticeAsk, noticeById } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { isInLine, type KnownActor, managingRoles } from '../actor.ts'
import { findAlerts } from '../messages/alerts.ts'
import { cleanName } from './files.ts'
import { readAnswer } from './read-answer.ts'

/** How long after its deadline a notice is still among the open questions. Source: project assumption. */
const OPEN_AFTER_MS = 14 * 86_400_000
export const MAX_ANSWER_FILE_BYTES = 10 * 1024 * 1024
const MAX_LOOKED_BYTES = 60_000
/** Characters that are quoted on either side of what was found. */
const AROUND = 6

/** The units for which somebody may answer a notice: those that they run, and those whose groups they own. */
export async function mayAnswerFor(
  rt: DomainRuntime,
  actor: KnownActor,
  noticeId: number,
): Promise<UnitToAnswer[]> {
  const runs = unitsRun(rt, actor)
  const units = await unitsToAnswer(rt.db, noticeId, actor.person.id, runs)
  return units.filter(
    unit =>
      runs.includes(unit.unitId) ||
      // an owner who has gone from the roster has no say any more
      (unit.isOwner && actor.roles.some(role => isInLine(role, unit))),
  )
}

/** What somebody is asked to answer, answered or not, the longest due first. */
export function openQuestions(rt: DomainRuntime, actor: KnownActor): Promise<Question[]> {
  const since = new Date(rt.clock.now().getTime() - OPEN_AFTER_MS)
  return questionsFor(rt.db, actor.person.id, unitsRun(rt, actor), since)
}

/** The very units that somebody runs. */
function unitsRun(rt: DomainRuntime, actor: KnownActor): number[] {
  return [...new Set(managingRoles(rt.templates, actor).map(role => role.unitId))]
}

export interface AnswerInput {
  noticeId: number
  /** null: the only unit that they may answer for. */
  unitId: number | null
  /** As it was written; for `file` left empty. */
  written: string
  file?: { name: string; mime: string; bytes: Buffer }
  /** They were told that it holds personal data, and mean it. */
  isSure?: boolean
}

export interface Answered {
  unitName: string
  /** What was kept, for people to read. */
  text: string
  /** An earlier answer of the unit gave way. */
  isChange: boolean
  ask: NoticeAsk
}

/**
 * Answers a notice for a unit. A later answer takes the place of the one before, which stays; the same words said twice
 * are kept once. Who answers is told of personal data before anything is stored.
 * @throws DomainError `answer.none`, `answer.over`, `answer.which_unit`, `answer.unclear`, `answer.secret`,
 *   `answer.privacy`, `answer.file`
 */
export function answerNotice(rt: DomainRuntime, actor: KnownActor, input: AnswerInput): Promise<Answered> {
  return inTransaction(rt, async tx => {
    const notice = await noticeById(tx.db, input.noticeId)
    const units = notice?.ask ? await mayAnswerFor(tx, actor, input.noticeId) : []
    if (!notice?.ask || units.length === 0)
      throw new DomainError('answer.none', `没有编号是 ${input.noticeId}、要您答复的通知。`)
    if (notice.withdrawnAt) throw new DomainError('answer.over', `通知 ${notice.id} 已经撤回，不用再答复。`)
    const unit = unitOf(units, input)
    const now = tx.clock.now()
    const { ask } = notice
    const { text, amount } = readInput(ask, input)
    checkSafety(input.file ? `${text}\n${textIn(input.file)}` : text, input.isSure ?? false)
    await lockAnswer(tx.db, notice.id, unit.unitId)
    const [before] = (await mayAnswerFor(tx, actor, notice.id)).filter(each => each.unitId === unit.unitId)
    const answered = { unitName: unit.unitName, text, ask, isChange: before?.answer != null }
    const isSame = before?.answer && !input.file && tx.vault.open(before.answer.sealed) === text
    if (isSame) return { ...answered, isChange: false }
    const fileId = input.file ? await keepFile(tx, actor, notice.id, input.file) : null
    await putAnswer(tx.db, {
      noticeId: notice.id,
      unitId: unit.unitId,
      personId: actor.person.id,
      answerSealed: tx.vault.seal(text),
      amount,
      fileId,
      answeredAt: now,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'notice.answered',
      subjectKind: 'notice',
      subjectId: notice.id,
      details: { unitId: unit.unitId, isChange: answered.isChange },
    })
    return answered
  })
}

/** @throws DomainError `answer.which_unit` */
function unitOf(units: UnitToAnswer[], { noticeId, unitId }: AnswerInput): UnitToAnswer {
  const chosen = units.find(unit => unit.unitId === unitId)
  if (chosen) return chosen
  if (unitId !== null) throw new DomainError('answer.none', `通知 ${noticeId} 没有要您替这个单位答复的。`)
  if (units.length > 1)
    throw new DomainError(
      'answer.which_unit',
      `您要替 ${units.length} 个单位答复：${units.map(unit => `${unit.unitName}${unit.answer ? '（已答）' : ''}`).join('、')}。请一个一个答，写上单位，如：答 ${noticeId} ${units[0]?.unitName} 内容`,
    )
  return units[0] as UnitToAnswer
}

function readInput(ask: NoticeAsk, input: AnswerInput): { text: string; amount: number | null } {
  if (ask.kind === 'file' && input.file) return { text: cleanName(input.file.name), amount: null }
  const read = readAnswer(ask, input.written)
  if ('error' in read)
    throw new DomainError(ask.kind === 'file' ? 'answer.file' : 'answer.unclear', read.error)
  return read
}

/**
 * No classified content in any form (中少办发〔2017〕4号 五.1); of personal data the writer is told, and says once more that it
 * is meant.
 */
function checkSafety(text: string, isSure: boolean): void {
  for (const alert of findAlerts(text)) {
    const place = text.slice(Math.max(0, alert.index - AROUND), alert.index + alert.length + AROUND)
    if (alert.kind === 'secret')
      throw new DomainError(
        'answer.secret',
        `答复里可能有涉密或内部内容（“${place}”），不能在网上报（中少办发〔2017〕4号 五.1），没有记下。`,
      )
    if (alert.kind === 'privacy' && !isSure)
      throw new DomainError(
        'answer.privacy',
        `答复里有个人信息（“${place}”附近），还没有记下。能不写就请去掉后再答。`,
      )
  }
}

/** What a plain text file says, as far as it is looked through; other files are not opened. */
function textIn({ name, bytes }: NonNullable<AnswerInput['file']>): string {
  return /\.(?:txt|csv|md)$/i.test(name) ? bytes.toString('utf8', 0, MAX_LOOKED_BYTES) : ''
}

async function keepFile(
  rt: DomainRuntime,
  actor: KnownActor,
  noticeId: number,
  { name, mime, bytes }: NonNullable<AnswerInput['file']>,
): Promise<number> {
  if (bytes.length === 0) throw new DomainError('answer.file', '这个文件是空的，请重新选择。')
  if (bytes.length > MAX_ANSWER_FILE_BYTES)
    throw new DomainError('answer.file', `文件太大，最大 ${MAX_ANSWER_FILE_BYTES / 1024 / 1024} MB。`)
  return insertAnswerFile(rt.db, {
    noticeId,
    name: cleanName(name),
    mime: /^[\w.+-]+\/[\w.+-]+$/.test(mime) ? mime : 'application/octet-stream',
    size: bytes.length,
    hash: createHash('sha256').update(bytes).digest('hex'),
    bytesSealed: rt.vault.seal(bytes.toString('base64')),
    uploadedBy: actor.person.id,
    createdAt: rt.clock.now(),
  })
}

/** The file of an answer, opened. That it was taken away stays in the log. null: there is none. */
export function takeAnswerFile(
  rt: DomainRuntime,
  actor: KnownActor,
  answer: { id: number; noticeId: number; fileId: number | null },
): Promise<{ name: string; mime: string; bytes: Buffer } | null> {
  return inTransaction(rt, async tx => {
    const file = answer.fileId === null ? null : await answerFile(tx.db, answer.fileId)
    if (!file) return null
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'notice_answers.exported',
      subjectKind: 'notice',
      subjectId: answer.noticeId,
      details: { answerId: answer.id },
    })
    return { name: file.name, mime: file.mime, bytes: Buffer.from(tx.vault.open(file.bytesSealed), 'base64') }
  })
}
