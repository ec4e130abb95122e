import { groupById } from '../../../db/queries/groups.ts'
import { insertOutgoing } from '../../../db/queries/notices.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { noteUses, type OfferedPost, offeredPosts, readyPostById } from '../../../db/queries/ready-posts.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { Category } from '../messages/categories.ts'
import { recordMessages } from '../messages/record.ts'
import { copyOf } from '../notices/mark.ts'
import { sendCard, sendToPerson } from '../outgoing/enqueue.ts'
import { coachedProgrammes } from './rules.ts'

/** When somebody said it, and by which update: the same one never counts twice. */
interface Said {
  at: Date
  updateId: number
}

export interface HandedOut {
  postId: number
  category: string
  /** Groups into which it goes by itself. */
  posted: string[]
  /** Groups that the owner forwards it to. */
  toForward: { id: number; name: string }[]
}

/**
 * Gives an owner a ready post: it goes into their groups that a program can post in, and for the others they get the text as
 * one message to forward. What goes in by itself is recorded at once, and taken back should it not arrive; the rest when
 * they say so.
 * @throws DomainError `ready_post.none`
 */
export function handOutPost(
  rt: DomainRuntime,
  actor: KnownActor,
  postId: number,
  said: Said,
): Promise<HandedOut> {
  return inTransaction(rt, async tx => {
    const post = await offeredTo(tx, actor, postId)
    const groups = (await Promise.all(post.groupIds.map(id => groupById(tx.db, id)))).filter(
      group => group !== null,
    )
    const posting = groups.flatMap(group => {
      if (group.platform === 'internal' && group.webhookSealed) return [{ group, kind: 'robot' }]
      return group.platform === 'appchat' && group.chatId ? [{ group, kind: 'appchat' }] : []
    })
    const direct = new Set(posting.map(({ group }) => group.id))
    const toForward = groups.filter(group => !direct.has(group.id))
    const text = copyOf(post, null)
    const now = tx.clock.now()
    // all of it bears one moment: a post that does not arrive finds by it what it was counted for (`not-out.ts`)
    const fresh = await recordUse({ ...tx, clock: { now: () => now } }, actor, post, [...direct], said)
    await insertOutgoing(
      tx.db,
      posting
        .filter(({ group }) => fresh.includes(group.id))
        .map(({ group, kind }) => ({
          kind,
          groupId: group.id,
          purpose: 'notice',
          textsSealed: tx.vault.seal(JSON.stringify([text])),
          status: 'pending',
          nextAttemptAt: now,
          createdAt: now,
        })),
    )
    if (toForward.length > 0) {
      await sendToPerson(tx, actor.person.id, 'relay', text)
      const names = toForward.map(group => `${group.name}（${group.id}）`)
      const words = `上面这段话可以整段转发到：${shortList(names)}。转好后回复：转备选 ${post.id}`
      await sendCard(
        tx,
        actor.person.id,
        'relay',
        {
          about: { kind: 'ready_post', id: post.id },
          title: `备选消息 ${post.id}`,
          description: `把上面那段话转发到：${shortList(names)}`,
          rows: [{ name: '类别', value: post.category }],
          buttons: [{ text: '已转发', isMain: true, command: `转备选 ${post.id}` }],
        },
        words,
      )
    }
    return {
      postId: post.id,
      category: post.category,
      posted: posting.filter(({ group }) => fresh.includes(group.id)).map(({ group }) => group.name),
      toForward: toForward.map(({ id, name }) => ({ id, name })),
    }
  })
}

/**
 * An owner says that they have passed a post on, in all of their groups or in some: it is a forwarded message of its
 * category there. Each group counts once.
 * @throws DomainError `ready_post.none`, `ready_post.group`
 */
export function noteForwarded(
  rt: DomainRuntime,
  actor: KnownActor,
  input: Said & { postId: number; groupIds: number[] },
): Promise<{ category: string; groups: number }> {
  return inTransaction(rt, async tx => {
    const post = await offeredTo(tx, actor, input.postId)
    const strange = input.groupIds.filter(id => !post.groupIds.includes(id))
    if (strange.length > 0)
      throw new DomainError('ready_post.group', `群 ${strange.join('、')} 已经登记过这条，或不是您的群。`)
    const fresh = await recordUse(
      tx,
      actor,
      post,
      input.groupIds.length > 0 ? input.groupIds : post.groupIds,
      input,
    )
    return { category: post.category, groups: fresh.length }
  })
}

/** @throws DomainError `ready_post.none` */
async function offeredTo(rt: DomainRuntime, actor: KnownActor, postId: number): Promise<OfferedPost> {
  const [post] = await offeredPosts(
    rt.db,
    [actor.person.id],
    coachedProgrammes(rt.templates),
    rt.clock.now(),
    postId,
  )
  if (post) return post
  const known = await readyPostById(rt.db, postId)
  const isOver = known !== null && known.endsAt <= rt.clock.now()
  throw new DomainError(
    'ready_post.none',
    isOver
      ? `备选 ${postId} 已经过期，不再提供。发送“推荐”看现在有哪些。`
      : `没有您可以转的备选 ${postId}：您的群可能都登记过了，或编号不对。发送“推荐”看看。`,
  )
}

async function recordUse(
  rt: DomainRuntime,
  actor: KnownActor,
  post: OfferedPost,
  groupIds: number[],
  { at, updateId }: Said,
): Promise<number[]> {
  const now = rt.clock.now()
  const fresh = await noteUses(rt.db, { postId: post.id, groupIds, usedBy: actor.person.id, at: now })
  if (fresh.length === 0) return []
  await recordMessages(rt, actor, {
    groupIds: fresh,
    category: post.category as Category,
    count: 1,
    day: null,
    at,
    updateId,
    shown: { text: post.body, decidedBy: 'person', confidence: null, isOwn: false },
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: 'ready_post.used',
    subjectKind: 'ready_post',
    subjectId: post.id,
    details: { groups: fresh.length },
  })
  return fresh
}

const MOST_NAMED = 8

function shortList(names: string[]): string {
  return names.length > MOST_NAMED
    ? `${names.slice(0, MOST_NAMED).join('、')}等 ${names.length} 个群`
    : names.join('、')
}
