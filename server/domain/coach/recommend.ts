import {
  type LackingGroup,
  lackingGroups,
  type OfferedPost,
  offeredPosts,
  switchCoach,
} from '../../../db/queries/ready-posts.ts'
import { monthOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { CATEGORIES, type Category } from '../messages/categories.ts'
import { coachedProgrammes, coachRules } from './rules.ts'

/** What an owner's groups lack this month, and what they can be given. */
export interface Recommendation {
  lacking: readonly LackingGroup[]
  /** Of which the posts are; null: nothing is lacking, or nobody offers what is. */
  category: Category | null
  posts: OfferedPost[]
}

/** What somebody's own groups lack this month. @param wanted a category that they ask for; null: whichever is lacking */
export async function recommendFor(
  rt: DomainRuntime,
  actor: KnownActor,
  wanted: Category | null,
): Promise<Recommendation> {
  const found = await recommendForOwners(rt, [actor.person.id], wanted)
  return found.get(actor.person.id) ?? { lacking: [], category: wanted, posts: [] }
}

/** The same for many owners at once. Owners without groups of a programme that counts by category are not in it. */
export async function recommendForOwners(
  rt: DomainRuntime,
  ownerIds: number[],
  wanted: Category | null = null,
): Promise<Map<number, Recommendation>> {
  const now = rt.clock.now()
  const programmes = coachedProgrammes(rt.templates)
  const [lacking, offered] = await Promise.all([
    lackingGroups(rt.db, ownerIds, programmes, CATEGORIES, monthOf(now)),
    offeredPosts(rt.db, ownerIds, programmes, now),
  ])
  const lackingOf = Map.groupBy(lacking, group => group.ownerId)
  const offeredTo = Map.groupBy(offered, post => post.ownerId)
  return new Map(ownerIds.map(id => [id, choose(lackingOf.get(id) ?? [], offeredTo.get(id) ?? [], wanted)]))
}

/**
 * The category that most groups lack and somebody offers, 其他 last because it says nothing, and its newest posts.
 * @param offered the newest first
 */
export function choose(
  lacking: readonly LackingGroup[],
  offered: readonly OfferedPost[],
  wanted: Category | null,
): Recommendation {
  const lacked = (category: Category) =>
    lacking.filter(group => group.categories.includes(category)).map(group => group.groupId)
  const useful = (category: Category) =>
    wanted !== null
      ? offered.filter(post => post.category === category)
      : offered.filter(
          post => post.category === category && post.groupIds.some(id => lacked(category).includes(id)),
        )
  const candidates = (wanted === null ? [...CATEGORIES] : [wanted])
    .filter(category => useful(category).length > 0)
    .sort((a, b) => lacked(b).length - lacked(a).length)
  const category = candidates[0] ?? wanted
  const posts = category === null ? [] : useful(category).slice(0, coachRules.posts.value)
  return { lacking, category, posts }
}

/** The owner does not want to be told any more, or again. */
export function setCoach(rt: DomainRuntime, actor: KnownActor, isOn: boolean): Promise<void> {
  return switchCoach(rt.db, actor.person.id, isOn ? null : rt.clock.now())
}
