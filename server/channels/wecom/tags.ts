import { given, list, record, text, type WecomCall } from './call.ts'
import { checkCharacters, checkCount } from './checks.ts'

export interface TagGroup {
  groupId: string
  name: string
  tags: { tagId: string; name: string }[]
}

/** The corp's customer tags (企业客户标签); at most 10,000. */
export interface CorpTags {
  list(): Promise<TagGroup[]>
  /** Adds tags to a group, which is made where there is none of that name. @returns the group with the new tags */
  add(group: { groupId: string } | { name: string }, names: string[]): Promise<TagGroup>
  /** Renames a tag or a group; `id` is either's. */
  rename(id: string, name: string): Promise<void>
  /** A group that has lost its last tag goes too. */
  remove(ids: { tagIds?: string[]; groupIds?: string[] }): Promise<void>
}

const BASE = '/cgi-bin/externalcontact'
const MAX_NAME = 30

/** @see https://developer.work.weixin.qq.com/document/path/92117 */
export function createTags(call: WecomCall): CorpTags {
  return {
    async list() {
      return list((await call({ path: `${BASE}/get_corp_tag_list`, body: {}, isSafe: true })).tag_group).map(
        readGroup,
      )
    },
    async add(group, names) {
      checkCount('标签', names, 1, 100)
      for (const name of names) checkCharacters('标签名', name, MAX_NAME)
      if ('name' in group) checkCharacters('标签组名', group.name, MAX_NAME)
      const where = 'groupId' in group ? { group_id: group.groupId } : { group_name: group.name }
      const body = { ...where, tag: names.map(name => ({ name })) }
      return readGroup(record((await call({ path: `${BASE}/add_corp_tag`, body })).tag_group))
    },
    async rename(id, name) {
      checkCharacters('标签名', name, MAX_NAME)
      await call({ path: `${BASE}/edit_corp_tag`, body: { id, name }, isSafe: true })
    },
    async remove({ tagIds, groupIds }) {
      const body = given({ tag_id: tagIds, group_id: groupIds })
      await call({ path: `${BASE}/del_corp_tag`, body, isSafe: true })
    },
  }
}

function readGroup(group: Record<string, unknown>): TagGroup {
  return {
    groupId: text(group.group_id),
    name: text(group.group_name),
    tags: list(group.tag).map(tag => ({ tagId: text(tag.id), name: text(tag.name) })),
  }
}
