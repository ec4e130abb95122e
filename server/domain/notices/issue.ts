import { insertCascade, type Reach, reachOfUnit } from '../../../db/queries/cascade.ts'
import { insertNotice, type NoticeAsk, type NoticeAudience } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { findAlerts } from '../messages/alerts.ts'
import type { Category } from '../messages/categories.ts'
import { type Importance, importanceRule, noticeRules } from './rules.ts'
import { type NoticeTiming, timingOf } from './timing.ts'

/** UTF-8 bytes that a notice may have, so that its relayed copy fits one message with room for a link. */
const MAX_NOTICE_BYTES = 2000

/** A notice to be sent at once. What is left out is as it is mostly: to all groups, all levels together, nothing asked. */
export interface NoticeInput {
  unitId: number
  body: string
  category: Category
  importance: Importance
  audience?: NoticeAudience
  mode?: 'at-once' | 'by-level'
  link?: string | null
  ask?: NoticeAsk | null
  /** It corrects or withdraws another. */
  follows?: { kind: 'correction' | 'withdrawal'; noticeId: number }
  /** The draft that it was, whose files it takes. */
  draftId?: number
  /** The second person, where one was needed. */
  approvedBy?: number | null
}

export interface IssuedNotice extends Reach, NoticeTiming {
  id: number
}

/** What a notice from this unit would reach. */
export function planReach(rt: DomainRuntime, unit: UnitRow): Promise<Reach> {
  return reachOfUnit(rt.db, unit.path)
}

/** When a notice that is issued now goes out, is due, and is asked after. */
export function planTiming(rt: DomainRuntime, importance: Importance): NoticeTiming {
  return timingOf(noticeRules, importanceRule(importance), rt.clock.now())
}

/**
 * Checks a notice before it is sent. No classified content may be in a group in any form (中少办发〔2017〕4号 五.1), and
 * personal data does not belong there either.
 * @throws DomainError `notice.empty`, `notice.too_long`, `notice.secret`, `notice.privacy`
 */
export function checkNotice(body: string): void {
  if (body.trim() === '') throw new DomainError('notice.empty', '通知是空的。')
  const bytes = Buffer.byteLength(body)
  if (bytes > MAX_NOTICE_BYTES)
    throw new DomainError(
      'notice.too_long',
      `通知太长（${bytes} 字节，最多 ${MAX_NOTICE_BYTES} 字节，约 660 个汉字）。请缩短，或改发文件链接。`,
    )
  for (const alert of findAlerts(body)) {
    const place = body.slice(Math.max(0, alert.index - 6), alert.index + alert.length + 6)
    if (alert.kind === 'secret')
      throw new DomainError(
        'notice.secret',
        `通知里可能有涉密或内部内容（“${place}”），不能在群里发（中少办发〔2017〕4号 五.1）。`,
      )
    if (alert.kind === 'privacy')
      throw new DomainError('notice.privacy', `通知里有个人信息（“${place}”附近），请去掉后再发。`)
  }
}

/**
 * Sends a notice to every group of the unit and below. Its deliveries, the messages that carry them and the moments at
 * which somebody is asked after them are written in one transaction; nothing is sent before that has happened.
 * @throws DomainError as `checkNotice`, and `rights.missing`, `notice.no_groups`
 */
export async function issueNotice(
  rt: DomainRuntime,
  actor: KnownActor,
  input: NoticeInput,
): Promise<IssuedNotice> {
  const unit = await unitById(rt.db, input.unitId)
  if (!unit || !managesUnit(rt.templates, actor, unit.path)) throw notAllowed('以这个单位的名义发通知')
  const body = input.body.trim()
  checkNotice(body)
  const now = rt.clock.now()
  const timing = planTiming(rt, input.importance)
  const id = await insertNotice(rt.db, {
    programme: unit.programme,
    unitId: unit.id,
    authorId: actor.person.id,
    body,
    category: input.category,
    importance: input.importance,
    audience: input.audience ?? {},
    mode: input.mode ?? 'at-once',
    link: input.link ?? null,
    ask: input.ask ?? null,
    kind: input.follows?.kind ?? 'notice',
    aboutId: input.follows?.noticeId ?? null,
    approvedBy: input.approvedBy ?? null,
    steps: timing.steps.map(({ at, to }) => ({ at: at.toISOString(), to })),
    issuedAt: now,
    deadlineAt: timing.deadlineAt,
  })
  const reach = await insertCascade(
    rt.db,
    { id, unitPath: unit.path },
    { now, startsAt: timing.startsAt, firstStepAt: timing.steps[0]?.at ?? null },
  )
  if (reach.groups === 0) throw new DomainError('notice.no_groups', `${unit.name}及下级还没有登记过群。`)
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: 'notice.issued',
    subjectKind: 'notice',
    subjectId: id,
    details: { unitId: unit.id, groups: reach.groups, importance: input.importance },
  })
  return { id, ...timing, ...reach }
}
