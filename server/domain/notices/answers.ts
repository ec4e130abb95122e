import { createHash } from 'node:crypto'
import { dropFollowUps } from '../../../db/queries/cascade.ts'
import {
  answerFile,
  insertAnswerFile,
  lockAnswer,
  putAnswer,
  type Question,
  questionsFor,
  type Standing,
  type UnitToAnswer,
  unitsToAnswer,
} from '../../../db/queries/notice-answers.ts'
import { type NoticeAsk, noticeById } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { isInLine, type KnownActor, managesUnit, managingRoles } from '../actor.ts'
import { findAlerts } from '../messages/alerts.ts'
import { type FalseAlarms, falseAlarmsFor, StoppedText } from '../messages/false-alarms.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { findInFile } from './file-text.ts'
import { ANSWER_TYPES, type FileType, fileTypeOf, nameOfType } from './file-types.ts'
import { readAnswer } from './read-answer.ts'
import { importanceRule, noticeRules } from './rules.ts'
import { nextWakingMoment } from './timing.ts'

/** How long after its deadline a notice is still among the open questions. Source: project assumption. */
const OPEN_AFTER_MS = 14 * 86_400_000
export const MAX_ANSWER_FILE_BYTES = 10 * 1024 * 1024
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

/** What it is its bytes say, not the browser. */
interface AnswerFile {
  name: string
  bytes: Buffer
}

export interface AnswerInput {
  noticeId: number
  /** null: the only unit that they may answer for. */
  unitId: number | null
  /** As it was written; for `file` left empty. */
  written: string
  file?: AnswerFile
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
 * Answers a notice for a unit; the number of a correction means the notice that it corrects. A later answer takes the place
 * of the one before, which stays, and whose it was is told; the same words said twice are kept once. What who runs the unit
 * has said stands above what an owner says (project assumption). Who answers is told of personal data before anything is
 * stored.
 * @throws DomainError `answer.none`, `answer.over`, `answer.which_unit`, `answer.unclear`, `answer.outranked`,
 *   `answer.secret`, `answer.privacy`, `answer.file`
 */
export function answerNotice(rt: DomainRuntime, actor: KnownActor, input: AnswerInput): Promise<Answered> {
  return inTransaction(rt, async tx => {
    const notice = await askingNotice(tx, input.noticeId)
    const units = notice?.ask ? await mayAnswerFor(tx, actor, notice.id) : []
    if (!notice?.ask || units.length === 0)
      throw new DomainError('answer.none', `没有编号是 ${input.noticeId}、要您答复的通知。`)
    if (notice.withdrawnAt) throw new DomainError('answer.over', `通知 ${notice.id} 已经撤回，不用再答复。`)
    const unit = unitOf(units, input)
    const now = tx.clock.now()
    const { ask } = notice
    const { text, amount } = readInput(ask, input)
    checkSafety(text, input.isSure ?? false, await falseAlarmsFor(tx, [text]), notice.unitId)
    if (ask.kind === 'file' && input.file) await checkFile(input.file, input.isSure ?? false)
    await lockAnswer(tx.db, notice.id, unit.unitId)
    const [before] = (await mayAnswerFor(tx, actor, notice.id)).filter(each => each.unitId === unit.unitId)
    const answered = { unitName: unit.unitName, text, ask, isChange: before?.answer != null }
    // whoever runs a unit above does not stand below it
    const standing: Standing = managesUnit(tx.templates, actor, unit.unitPath) ? 'manager' : 'owner'
    if (before?.answer?.standing === 'manager' && standing === 'owner') throw outranked(notice.id, before)
    const words = before?.answer && !input.file ? tx.vault.open(before.answer.sealed) : null
    if (words === text && before?.answer?.standing === standing) return { ...answered, isChange: false }
    const fileId = input.file ? await keepFile(tx, actor, notice.id, input.file) : null
    await putAnswer(tx.db, {
      noticeId: notice.id,
      unitId: unit.unitId,
      personId: actor.person.id,
      answerSealed: tx.vault.seal(text),
      amount,
      fileId,
      standing,
      answeredAt: now,
    })
    await dropFollowUps(tx.db, notice.id, unit.unitId, now)
    if (before?.answer && before.answer.personId !== actor.person.id && words !== text)
      await tellReplaced(tx, actor, notice, before, before.answer, text)
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

/** The notice that asks: of a correction the one that it corrects. */
async function askingNotice(rt: DomainRuntime, noticeId: number) {
  const notice = await noticeById(rt.db, noticeId)
  return notice?.kind === 'correction' && notice.aboutId !== null ? noticeById(rt.db, notice.aboutId) : notice
}

function outranked(noticeId: number, { unitName, answer }: UnitToAnswer): DomainError {
  const when = answer ? `（${answer.by}，${chineseMoment(answer.at)}）` : ''
  return new DomainError(
    'answer.outranked',
    `${unitName}的负责同志已经答复过通知 ${noticeId}${when}，群主的答复不能代替，没有记下。要改请与负责同志联系。`,
  )
}

/** Nobody's answer gives way without their knowing: once, and not at night. */
async function tellReplaced(
  rt: DomainRuntime,
  actor: KnownActor,
  notice: { id: number; ask: NoticeAsk | null },
  unit: UnitToAnswer,
  replaced: NonNullable<UnitToAnswer['answer']>,
  text: string,
): Promise<void> {
  const measure = notice.ask?.measure ?? ''
  const before = replaced.fileName ?? rt.vault.open(replaced.sealed)
  await sendToPersons(
    rt,
    [
      {
        personId: replaced.personId,
        text: `您替${unit.unitName}对通知 ${notice.id} 的答复“${before}${measure}”，已由${actor.person.name}改为“${text}${measure}”。您的答复留在记录里；有不对请与${actor.person.name}联系。`,
      },
    ],
    'decision',
    nextWakingMoment(noticeRules, importanceRule('normal'), rt.clock.now()),
  )
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
  if (ask.kind === 'file' && input.file)
    return { text: nameOfType(typeOfAnswer(input.file), input.file.name), amount: null }
  const read = readAnswer(ask, input.written)
  if ('error' in read)
    throw new DomainError(ask.kind === 'file' ? 'answer.file' : 'answer.unclear', read.error)
  return read
}

/**
 * No classified content in any form (中少办发〔2017〕4号 五.1); of personal data the writer is told, and says once more that it
 * is meant.
 */
function checkSafety(text: string, isSure: boolean, passed: FalseAlarms, askingUnitId: number): void {
  for (const alert of findAlerts(text)) {
    const place = text.slice(Math.max(0, alert.index - AROUND), alert.index + alert.length + AROUND)
    if (passed.cover(alert.kind, text)) continue
    if (alert.kind === 'secret') throw secretIn(place, text, askingUnitId)
    if (alert.kind === 'privacy' && !isSure) throw privateIn(place)
  }
}

const secretWords = (place: string) =>
  `答复里可能有涉密或内部内容（“${place}”），不能在网上报（中少办发〔2017〕4号 五.1），没有记下。`

/** The unit that asks would read it: whoever runs it says whether it is a false alarm. */
const secretIn = (place: string, text: string, askingUnitId: number) =>
  new StoppedText('answer.secret', secretWords(place), {
    alert: 'secret',
    source: 'answer',
    text,
    place: { of: 'unit', unitId: askingUnitId },
  })

const privateIn = (place: string) =>
  new DomainError('answer.privacy', `答复里有个人信息（“${place}”附近），还没有记下。能不写就请去掉后再答。`)

/** The same for what a file says, as far as it is read. */
async function checkFile(file: AnswerFile, isSure: boolean): Promise<void> {
  const found = await findInFile(file)
  if (found?.kind === 'secret') throw new DomainError('answer.secret', secretWords(found.place))
  if (found?.kind === 'privacy' && !isSure) throw privateIn(found.place)
}

/** @throws DomainError `answer.file` */
function typeOfAnswer(file: AnswerFile): FileType {
  if (file.bytes.length === 0) throw new DomainError('answer.file', '这个文件是空的，请重新选择。')
  if (file.bytes.length > MAX_ANSWER_FILE_BYTES)
    throw new DomainError('answer.file', `文件太大，最大 ${MAX_ANSWER_FILE_BYTES / 1024 / 1024} MB。`)
  const type = fileTypeOf(ANSWER_TYPES, file)
  if (type) return type
  throw new DomainError(
    'answer.file',
    '这种文件不能交：可以交 jpg、png 图片，pdf、docx、xlsx、pptx、doc、xls、ppt 文件，或 txt、csv 文字。',
  )
}

async function keepFile(
  rt: DomainRuntime,
  actor: KnownActor,
  noticeId: number,
  file: AnswerFile,
): Promise<number> {
  const { bytes } = file
  const type = typeOfAnswer(file)
  return insertAnswerFile(rt.db, {
    noticeId,
    name: nameOfType(type, file.name),
    mime: type.mime,
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
    // what was kept before files were looked into is whatever a browser said
    const isKnown = ANSWER_TYPES.some(type => type.mime === file.mime)
    const mime = isKnown ? file.mime : 'application/octet-stream'
    return { name: file.name, mime, bytes: Buffer.from(tx.vault.open(file.bytesSealed), 'base64') }
  })
}
