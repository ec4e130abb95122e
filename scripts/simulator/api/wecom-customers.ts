import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { isVisible, visibleMember, visibleMembers } from '../visible.ts'
import type { PersonRecord, Relation } from '../world.ts'
import { integer, optionalText, page, text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'

const FOLLOWERS_PER_PAGE = 500

/** A customer by external_userid. @throws ApiError 40096 */
function customerOf(core: Core, id: string | undefined): PersonRecord {
  const person = id ? core.world.byExternalUserId(id) : undefined
  if (!person) refuse(40096, 'invalid external userid')
  return person
}

/** What staff in the app's visible range has to do with a customer. @throws ApiError 84061 when nobody has */
function relationsOf(core: Core, app: WecomApp, id: string): Relation[] {
  const relations = (core.world.relations.get(id) ?? []).filter(relation => {
    const staff = core.world.byUserId(relation.userId)
    return staff !== undefined && isVisible(core, app, staff)
  })
  if (relations.length === 0) refuse(84061, 'not external contact')
  return relations
}

/** The pair that remarks and tags belong to. */
function relationOf({ core, subject, body }: ApiCall<WecomApp>): Relation {
  const staff = visibleMember(core, subject, text(body, 'userid'), 40003)
  const id = text(body, 'external_userid')
  customerOf(core, id)
  const relation = relationsOf(core, subject, id).find(known => known.userId === staff.wecomUserId)
  if (!relation) refuse(84061, 'not external contact')
  return relation
}

function describeCustomer(core: Core, app: WecomApp, id: string) {
  const person = customerOf(core, id)
  return {
    external_userid: id,
    name: person.name,
    avatar: '',
    type: 1,
    gender: 0,
    ...(person.unionId === undefined || !core.apps.includes(app) ? {} : { unionid: person.unionId }),
  }
}

/** What both forms of a following have in common. */
function describeRelation(relation: Relation) {
  return {
    userid: relation.userId,
    remark: relation.remark,
    description: relation.description,
    createtime: unixSeconds(relation.createdAt),
    remark_corp_name: relation.company,
    remark_mobiles: relation.mobiles,
    oper_userid: relation.userId,
    add_way: relation.addWay,
    ...(relation.state === undefined ? {} : { state: relation.state }),
  }
}

function describeTags(core: Core, relation: Relation) {
  return relation.tagIds.flatMap(tagId => {
    for (const group of core.world.corp.tagGroups.values())
      for (const tag of group.tags)
        if (tag.id === tagId) return [{ group_name: group.name, tag_name: tag.name, tag_id: tagId, type: 1 }]
    return []
  })
}

/** @see developer.work.weixin.qq.com/document/path/92113 */
function list({ core, subject, query }: ApiCall<WecomApp>) {
  const staff = visibleMember(core, subject, query.userid ?? '', 40003)
  const ids = customersOf(core, staff).map(relation => relation.externalUserId)
  if (ids.length === 0) refuse(84061, 'not external contact')
  return { external_userid: ids }
}

function customersOf(core: Core, staff: PersonRecord): Relation[] {
  return [...core.world.relations.values()]
    .flat()
    .filter(relation => relation.userId.toLowerCase() === staff.wecomUserId?.toLowerCase())
}

/** @see developer.work.weixin.qq.com/document/path/92114 */
function read({ core, subject, query }: ApiCall<WecomApp>) {
  const id = query.external_userid ?? ''
  customerOf(core, id)
  const found = page(relationsOf(core, subject, id), query.cursor || undefined, FOLLOWERS_PER_PAGE)
  return {
    external_contact: describeCustomer(core, subject, id),
    follow_user: found.items.map(relation => ({
      ...describeRelation(relation),
      tags: describeTags(core, relation),
    })),
    ...(found.next ? { next_cursor: found.next } : {}),
  }
}

/** @see developer.work.weixin.qq.com/document/path/92994 */
function readByUsers({ core, subject, body }: ApiCall<WecomApp>) {
  const userIds = textList(body, 'userid_list', 100)
  if (userIds.length === 0) refuse(40058, 'invalid parameter: userid_list missing')
  const staff = userIds.map(id => visibleMember(core, subject, id, 40003))
  const unlicensed = staff.filter(person => person.isLicensed === false)
  const relations = staff.filter(person => person.isLicensed !== false).flatMap(one => customersOf(core, one))
  const found = page(relations, optionalText(body, 'cursor'), integer(body, 'limit', 1, 100, 50))
  return {
    external_contact_list: found.items.map(relation => ({
      external_contact: describeCustomer(core, subject, relation.externalUserId),
      follow_info: { ...describeRelation(relation), tag_id: relation.tagIds },
    })),
    next_cursor: found.next,
    ...(unlicensed.length === 0
      ? {}
      : { fail_info: { unlicensed_userid_list: unlicensed.map(person => person.wecomUserId) } }),
  }
}

/** What is left out stays as it is; nobody is told. @see developer.work.weixin.qq.com/document/path/92115 */
function remark(call: ApiCall<WecomApp>) {
  const { body } = call
  const relation = relationOf(call)
  const kept = <T>(name: string, value: T | undefined, before: T) =>
    body[name] === undefined ? before : value
  const mobiles = textList(body, 'remark_mobiles', 5)
  relation.remark = kept('remark', optionalText(body, 'remark', { max: 20 }), relation.remark) ?? ''
  relation.description =
    kept('description', optionalText(body, 'description', { max: 150 }), relation.description) ?? ''
  relation.company =
    kept('remark_company', optionalText(body, 'remark_company', { max: 20 }), relation.company) ?? ''
  if (body.remark_mobiles !== undefined) relation.mobiles = mobiles
  call.core.log.add('remarked', { userId: relation.userId, externalUserId: relation.externalUserId })
  return {}
}

/** @see developer.work.weixin.qq.com/document/path/92118 */
function markTags(call: ApiCall<WecomApp>) {
  const { core, body } = call
  const relation = relationOf(call)
  const added = textList(body, 'add_tag', 100)
  const removed = textList(body, 'remove_tag', 100)
  if (added.length + removed.length === 0)
    refuse(40058, 'invalid parameter: add_tag and remove_tag are empty')
  const known = new Set(
    [...core.world.corp.tagGroups.values()].flatMap(group => group.tags.map(tag => tag.id)),
  )
  for (const id of [...added, ...removed]) if (!known.has(id)) refuse(40068, `invalid tagid ${id}`)
  relation.tagIds = [...new Set([...relation.tagIds, ...added])].filter(id => !removed.includes(id))
  core.log.add('tagged', { userId: relation.userId, externalUserId: relation.externalUserId })
  return {}
}

/** Members who may have customers: here everybody in the visible range. */
function listFollowUsers({ core, subject }: ApiCall<WecomApp>) {
  return { follow_user: visibleMembers(core, subject).map(person => person.wecomUserId) }
}

/** A provisional id stands for those who are no customers yet. @see developer.work.weixin.qq.com/document/path/95900 */
function convertUnionId({ core, body }: ApiCall<WecomApp>) {
  const unionId = text(body, 'unionid')
  const openId = text(body, 'openid')
  integer(body, 'subject_type', 0, 1, 0)
  const person = [...core.world.persons.values()].find(one => one.unionId === unionId)
  if (!person || person.openId !== openId) refuse(846000, 'unionid and openid do not match')
  const id = person.externalUserId
  if (id !== undefined && (core.world.relations.get(id)?.length ?? 0) > 0) return { external_userid: id }
  const { pendingIds } = core.world.corp
  const pending = pendingIds.get(unionId) ?? `pd${core.ids.letters(30)}`
  pendingIds.set(unionId, pending)
  return { pending_id: pending }
}

const BASE = '/cgi-bin/externalcontact'

export const wecomCustomers: ApiTable<WecomApp> = {
  [`${BASE}/list`]: get(list),
  [`${BASE}/get`]: get(read),
  [`${BASE}/batch/get_by_user`]: post(readByUsers),
  [`${BASE}/remark`]: post(remark),
  [`${BASE}/mark_tag`]: post(markTags),
  [`${BASE}/get_follow_user_list`]: get(listFollowUsers),
  '/cgi-bin/idconvert/unionid_to_external_userid': post(convertUnionId),
}
