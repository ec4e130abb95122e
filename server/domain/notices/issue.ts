import { insertCascade, type Reach, reachOfUnit } from '../../../db/queries/cascade.ts'
import { moveFiles } from '../../../db/queries/notice-files.ts'
import { insertNotice, type NoticeAsk, type NoticeAudience } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import type { Category } from '../messages/categories.ts'
import { checkAudience } from './audience.ts'
import { planLevels } from './by-level.ts'
import { checkOutgoing } from './check.ts'
import { type Importance, importanceRule, noticeRules } from './rules.ts'
import { type NoticeTiming, timingOf } from './timing.ts'

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

/** What a notice from this unit would reach. @throws DomainError `notice.audience` */
export async function planReach(
  rt: DomainRuntime,
  unit: UnitRow,
  audience: NoticeAudience = {},
): Promise<Reach> {
  await checkAudience(rt, unit, audience)
  return reachOfUnit(rt.db, unit.path, audience)
}

/** When a notice that is issued now goes out, is due, and is asked after. */
export function planTiming(rt: DomainRuntime, importance: Importance): NoticeTiming {
  return timingOf(noticeRules, importanceRule(importance), rt.clock.now())
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
  await checkOutgoing(rt, { body, link: input.link ?? null, ask: input.ask ?? null })
  const { audience = {}, mode = 'at-once' } = input
  await checkAudience(rt, unit, audience)
  const now = rt.clock.now()
  const timing = planTiming(rt, input.importance)
  const id = await insertNotice(rt.db, {
    programme: unit.programme,
    unitId: unit.id,
    authorId: actor.person.id,
    body,
    category: input.category,
    importance: input.importance,
    audience,
    mode,
    link: input.link ?? null,
    ask: input.ask ?? null,
    kind: input.follows?.kind ?? 'notice',
    aboutId: input.follows?.noticeId ?? null,
    approvedBy: input.approvedBy ?? null,
    steps: timing.steps.map(({ at, to }) => ({ at: at.toISOString(), to })),
    issuedAt: now,
    deadlineAt: timing.deadlineAt,
  })
  if (input.draftId !== undefined) await moveFiles(rt.db, input.draftId, id)
  const reach = await insertCascade(
    rt.db,
    { id, unitPath: unit.path, audience },
    {
      now,
      startsAt: timing.startsAt,
      firstStepAt: timing.steps[0]?.at ?? null,
      ...(mode === 'by-level' && {
        latestStarts: await planLevels(rt, unit, audience, input.importance, timing),
      }),
    },
  )
  // what follows a notice that has reached nobody yet tells nobody, and is none the less its correction
  if (reach.groups === 0 && !input.follows)
    throw new DomainError(
      'notice.no_groups',
      Object.keys(audience).length === 0
        ? `${unit.name}及下级还没有登记过群。`
        : `${unit.name}及下级没有符合发送范围的群，请改一改范围。`,
    )
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
