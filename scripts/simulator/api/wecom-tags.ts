import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import type { TagGroup } from '../corp.ts'
import { optionalText, records, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

const MOST_TAGS = 10_000
const NAME_LENGTH = 30
const INVALID_TAG = 40068
const NAME_TAKEN = 40071

function describe(group: TagGroup) {
  return {
    group_id: group.id,
    group_name: group.name,
    create_time: unixSeconds(group.createdAt),
    order: 1,
    deleted: false,
    tag: group.tags.map(tag => ({
      id: tag.id,
      name: tag.name,
      create_time: unixSeconds(tag.createdAt),
      order: 1,
      deleted: false,
    })),
  }
}

/** @see developer.work.weixin.qq.com/document/path/92117 */
function list({ core, body }: ApiCall<WecomApp>) {
  const tagIds = textList(body, 'tag_id', 100)
  const groupIds = textList(body, 'group_id', 100)
  const groups = [...core.world.corp.tagGroups.values()].filter(
    group =>
      (groupIds.length === 0 || groupIds.includes(group.id)) &&
      (tagIds.length === 0 || group.tags.some(tag => tagIds.includes(tag.id))),
  )
  return { tag_group: groups.map(describe) }
}

function add({ core, body }: ApiCall<WecomApp>) {
  const names = records(body, 'tag', 100).map(tag => text(tag, 'name', { max: NAME_LENGTH }))
  if (names.length === 0) refuse(40058, 'invalid parameter: tag missing')
  const group = groupFor(
    core,
    optionalText(body, 'group_id'),
    optionalText(body, 'group_name', { max: NAME_LENGTH }),
  )
  const { tagGroups } = core.world.corp
  const total = [...tagGroups.values()].reduce((sum, each) => sum + each.tags.length, 0)
  if (total + names.length > MOST_TAGS) refuse(45009, 'too many tags')
  for (const name of names)
    if (group.tags.some(tag => tag.name === name) || names.filter(other => other === name).length > 1)
      refuse(NAME_TAKEN, 'tag name exists')
  const createdAt = core.clock.now()
  const added = names.map(name => ({ id: `et${core.ids.letters(30)}`, name, createdAt }))
  group.tags.push(...added)
  tagGroups.set(group.id, group)
  return { tag_group: describe({ ...group, tags: added }) }
}

function groupFor(core: Core, id: string | undefined, name: string | undefined): TagGroup {
  const groups = [...core.world.corp.tagGroups.values()]
  if (id !== undefined) {
    const known = groups.find(group => group.id === id)
    if (!known) refuse(INVALID_TAG, 'invalid group_id')
    return known
  }
  if (name === undefined) refuse(40058, 'invalid parameter: group_id and group_name missing')
  const known = groups.find(group => group.name === name)
  return known ?? { id: `et${core.ids.letters(30)}`, name, createdAt: core.clock.now(), tags: [] }
}

function edit({ core, body }: ApiCall<WecomApp>) {
  const id = text(body, 'id')
  const name = text(body, 'name', { max: NAME_LENGTH })
  for (const group of core.world.corp.tagGroups.values()) {
    const target = group.id === id ? group : group.tags.find(tag => tag.id === id)
    if (!target) continue
    if (target !== group && group.tags.some(tag => tag.name === name && tag.id !== id))
      refuse(NAME_TAKEN, 'tag name exists')
    target.name = name
    return {}
  }
  refuse(INVALID_TAG, 'invalid tagid')
}

function remove({ core, body }: ApiCall<WecomApp>) {
  const tagIds = textList(body, 'tag_id', 100)
  const groupIds = textList(body, 'group_id', 100)
  if (tagIds.length + groupIds.length === 0) refuse(40058, 'invalid parameter: tag_id and group_id are empty')
  removeTags(core, tagIds, groupIds)
  return {}
}

/** A group that has lost its last tag goes too, and so do the marks on customers. */
export function removeTags(core: Core, tagIds: string[], groupIds: string[]): void {
  const { corp, relations } = core.world
  for (const group of [...corp.tagGroups.values()]) {
    group.tags = group.tags.filter(tag => !tagIds.includes(tag.id))
    if (groupIds.includes(group.id) || group.tags.length === 0) corp.tagGroups.delete(group.id)
  }
  const left = new Set([...corp.tagGroups.values()].flatMap(group => group.tags.map(tag => tag.id)))
  for (const relation of [...relations.values()].flat())
    relation.tagIds = relation.tagIds.filter(id => left.has(id))
}

const BASE = '/cgi-bin/externalcontact'

export const wecomTags: ApiTable<WecomApp> = {
  [`${BASE}/get_corp_tag_list`]: post(list),
  [`${BASE}/add_corp_tag`]: post(add),
  [`${BASE}/edit_corp_tag`]: post(edit),
  [`${BASE}/del_corp_tag`]: post(remove),
}
