import { appendAudit } from '../../../db/queries/platform.ts'
import { endReadyPost, insertReadyPost, type ListedPost } from '../../../db/queries/ready-posts.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { type Category, isCategory } from '../messages/categories.ts'
import { classifyMessage } from '../messages/classify.ts'
import { shippedClassifier } from '../messages/shipped.ts'
import { checkOutgoing } from '../notices/check.ts'
import { coachedProgrammes, coachRules } from './rules.ts'

const DAY_MS = 86_400_000

/** Which category a text seems to be, and the words that decided. */
export function suggestCategory(body: string): { category: Category; because: string[] } {
  const { category, because } = classifyMessage(shippedClassifier(), body)
  return { category, because: because.slice(0, 3) }
}

/**
 * Writes a post that the groups of a unit and below can be given with one tap. It is checked like a notice, and is one
 * message with its link.
 * @throws DomainError `ready_post.unit`, `ready_post.category`, `ready_post.days`, `rights.missing`, and as `checkNotice`
 */
export function writeReadyPost(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { unitId: number; body: string; link: string | null; category: string; days: number },
): Promise<number> {
  const body = input.body.trim()
  const { link, category, days } = input
  return inTransaction(rt, async tx => {
    const unit = await unitById(tx.db, input.unitId)
    if (!unit || !managesUnit(tx.templates, actor, unit.path)) throw notAllowed('替这个单位写备选消息')
    if (!coachedProgrammes(tx.templates).includes(unit.programme))
      throw new DomainError('ready_post.unit', '这个体系的消息不分类统计，没有备选消息。')
    if (!isCategory(category)) throw new DomainError('ready_post.category', '请选一个类别。')
    if (!coachRules.days.value.includes(days))
      throw new DomainError('ready_post.days', `提供几天，请选 ${coachRules.days.value.join('、')}。`)
    await checkOutgoing(tx, { body, link })
    const now = tx.clock.now()
    const id = await insertReadyPost(tx.db, {
      unitId: unit.id,
      category,
      body,
      link,
      writtenBy: actor.person.id,
      createdAt: now,
      endsAt: new Date(now.getTime() + days * DAY_MS),
    })
    await note(tx, actor, 'ready_post.written', id)
    return id
  })
}

/** Takes a post back: nobody is offered it any more. What was passed on stays counted. */
export function withdrawReadyPost(rt: DomainRuntime, actor: KnownActor, post: ListedPost): Promise<void> {
  return inTransaction(rt, async tx => {
    if (await endReadyPost(tx.db, post.id, tx.clock.now())) await note(tx, actor, 'ready_post.ended', post.id)
  })
}

function note(rt: DomainRuntime, actor: KnownActor, action: string, postId: number): Promise<void> {
  return appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action,
    subjectKind: 'ready_post',
    subjectId: postId,
    details: {},
  })
}
