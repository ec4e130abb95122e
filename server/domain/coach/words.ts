import type { LackingGroup, OfferedPost } from '../../../db/queries/ready-posts.ts'
import { CATEGORIES } from '../messages/categories.ts'
import type { Recommendation } from './recommend.ts'

const MOST_GROUPS = 3
const SHOWN_CHARACTERS = 26

/** 「政策法规」0 条（镇川青年、镇川农友等 5 个群）, a line for each category that is lacking. */
export function lackingWords(lacking: readonly LackingGroup[]): string[] {
  return CATEGORIES.flatMap(category => {
    const groups = lacking.filter(group => group.categories.includes(category))
    if (groups.length === 0) return []
    const names = groups.slice(0, MOST_GROUPS).map(group => group.groupName)
    const more = groups.length > MOST_GROUPS ? `等 ${groups.length} 个群` : ''
    return [`「${category}」0 条：${names.join('、')}${more}`]
  })
}

/** The posts to choose from, by their numbers. */
export function postLines(posts: readonly OfferedPost[]): string[] {
  return posts.map(post => `${post.id}　${beginning(post.body)}（${post.unitName}）`)
}

/** What a post begins with, on one line. */
export function beginning(body: string): string {
  const line = body.replace(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length > SHOWN_CHARACTERS ? `${characters.slice(0, SHOWN_CHARACTERS).join('')}…` : line
}

/** What an owner is told by itself: what is lacking, what there is, why it is said and how to have it stop. */
export function tellingWords({ lacking, category, posts }: Recommendation): string {
  const ofCategory = lacking.filter(group => category !== null && group.categories.includes(category))
  const [line = ''] = lackingWords(
    ofCategory.map(group => ({ ...group, categories: category === null ? [] : [category] })),
  )
  return [
    `【备选消息】本月${line}。上级备好了可以直接转的：`,
    ...postLines(posts),
    `要哪条请回复：发 ${posts[0]?.id}。看别的类别：推荐 类别。`,
    '跟踪摸底表按五类统计（榆林团市委 2014 附件3），只提醒您自己，一周至多一次；不想要请回复：推荐 关',
  ].join('\n')
}
