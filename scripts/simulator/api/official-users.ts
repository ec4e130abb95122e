import { refuse } from '../api-error.ts'
import type { Core, OfficialAccount } from '../core.ts'
import { unixSeconds } from '../core.ts'
import type { PersonRecord } from '../world.ts'
import { type Body, integer, isRecord, record, text } from './fields.ts'
import { stateOf, takeDaily } from './official-state.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'

type Call = ApiCall<OfficialAccount>

const PAGE = 10_000
const INFO_BATCH = 100
const TAG_BATCH = 50
const MOST_TAGS = 100
const MOST_TAGS_EACH = 20
const NAME_CHARACTERS = 30
/** Tags that every account has. */
const FIRST_OWN_TAG = 100

export function followers(core: Core): PersonRecord[] {
  return [...core.world.persons.values()].filter(person => person.openId !== undefined && person.follows)
}

/** @see developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_getfans */
function listFollowers(call: Call) {
  const { core, query } = call
  takeDaily(call, 'user/get', 500)
  const all = followers(core).map(person => person.openId ?? '')
  const after = query.next_openid
  const start = after ? all.indexOf(after) + 1 : 0
  if (after && start === 0) refuse(40003, 'invalid openid')
  const openid = all.slice(start, start + PAGE)
  return {
    total: all.length,
    count: openid.length,
    ...(openid.length === 0 ? {} : { data: { openid } }),
    next_openid: openid.at(-1) ?? '',
  }
}

/** A person who does not follow is known by openid only. @see developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo */
function infoOf({ core, subject }: Call, openId: unknown) {
  const person = typeof openId === 'string' ? core.world.byOpenId(openId) : undefined
  if (!person?.openId) refuse(40003, 'invalid openid')
  if (!person.follows) return { subscribe: 0, openid: person.openId }
  const state = stateOf(subject)
  const scene = person.followScene
  const isNumber = /^\d+$/.test(scene ?? '')
  return {
    subscribe: 1,
    openid: person.openId,
    nickname: '',
    sex: 0,
    language: 'zh_CN',
    city: '',
    province: '',
    country: '',
    headimgurl: '',
    subscribe_time: unixSeconds(person.followedAt ?? core.clock.now()),
    ...(person.unionId === undefined ? {} : { unionid: person.unionId }),
    remark: state.remarks.get(person.openId) ?? '',
    groupid: 0,
    tagid_list: tagsOf(subject, person.openId),
    subscribe_scene: scene === undefined ? 'ADD_SCENE_SEARCH' : 'ADD_SCENE_QR_CODE',
    qr_scene: isNumber ? Number(scene) : 0,
    qr_scene_str: isNumber ? '' : (scene ?? ''),
  }
}

function userInfo(call: Call) {
  takeDaily(call, 'user/info', 5_000_000)
  return infoOf(call, call.query.openid)
}

function batchInfo(call: Call) {
  const list = call.body.user_list
  if (!Array.isArray(list) || list.length === 0 || !list.every(isRecord)) refuse(40003, 'invalid openid')
  if (list.length > INFO_BATCH) refuse(40032, 'invalid openid list size')
  takeDaily(call, 'user/info', 5_000_000)
  return { user_info_list: list.map(entry => infoOf(call, entry.openid)) }
}

function updateRemark(call: Call) {
  const { body, subject } = call
  const openId = followerOf(call, body.openid)
  const { remark } = body
  if (typeof remark !== 'string' || [...remark].length > NAME_CHARACTERS)
    refuse(45002, 'remark size out of limit')
  stateOf(subject).remarks.set(openId, remark)
  return {}
}

function followerOf({ core }: Call, openId: unknown): string {
  const person = typeof openId === 'string' ? core.world.byOpenId(openId) : undefined
  if (!person?.openId || !person.follows) refuse(40003, 'invalid openid')
  return person.openId
}

function tagsOf(subject: OfficialAccount, openId: string): number[] {
  return [...stateOf(subject).tags].filter(([, tag]) => tag.openIds.has(openId)).map(([id]) => id)
}

function tagBody(body: Body): Body {
  return record(body, 'tag')
}

/** @see developers.weixin.qq.com/doc/service/api/usermanage/tagmanage/api_createtag */
function createTag({ body, subject }: Call) {
  const { tags } = stateOf(subject)
  const name = text(tagBody(body), 'name', { code: 45158 })
  if ([...name].length > NAME_CHARACTERS) refuse(45158, 'tag name size out of limit')
  if ([...tags.values()].some(tag => tag.name === name)) refuse(45157, 'invalid tag name: it exists')
  if (tags.size >= MOST_TAGS) refuse(45056, 'too many tags')
  const id = Math.max(FIRST_OWN_TAG - 1, ...tags.keys()) + 1
  tags.set(id, { name, openIds: new Set() })
  return { tag: { id, name } }
}

function listTags({ subject }: Call) {
  return {
    tags: [...stateOf(subject).tags].map(([id, tag]) => ({ id, name: tag.name, count: tag.openIds.size })),
  }
}

function deleteTag({ body, subject }: Call) {
  const id = integer(tagBody(body), 'id', 0, Number.MAX_SAFE_INTEGER)
  if (id < FIRST_OWN_TAG) refuse(45058, 'cannot change the default tags')
  if (!stateOf(subject).tags.delete(id)) refuse(45159, 'invalid tag id')
  return {}
}

function changeMembers(call: Call, change: (openIds: Set<string>, openId: string) => void) {
  const { body, subject } = call
  const tag = stateOf(subject).tags.get(integer(body, 'tagid', 0, Number.MAX_SAFE_INTEGER))
  if (!tag) refuse(45159, 'invalid tag id')
  const list = body.openid_list
  if (!Array.isArray(list) || list.length === 0 || list.length > TAG_BATCH)
    refuse(40032, 'invalid openid list size')
  for (const openId of list.map(entry => followerOf(call, entry))) change(tag.openIds, openId)
  return {}
}

function tagMembers(call: Call) {
  return changeMembers(call, (openIds, openId) => {
    if (!openIds.has(openId) && tagsOf(call.subject, openId).length >= MOST_TAGS_EACH)
      refuse(45059, 'too many tags on one follower')
    openIds.add(openId)
  })
}

function tagsOfFollower(call: Call) {
  return { tagid_list: tagsOf(call.subject, followerOf(call, call.body.openid)) }
}

export const officialUsers: ApiTable<OfficialAccount> = {
  '/cgi-bin/user/get': get(listFollowers),
  '/cgi-bin/user/info': get(userInfo),
  '/cgi-bin/user/info/batchget': post(batchInfo),
  '/cgi-bin/user/info/updateremark': post(updateRemark),
  '/cgi-bin/tags/create': post(createTag),
  '/cgi-bin/tags/get': get(listTags),
  '/cgi-bin/tags/delete': post(deleteTag),
  '/cgi-bin/tags/members/batchtagging': post(tagMembers),
  '/cgi-bin/tags/members/batchuntagging': post(call =>
    changeMembers(call, (openIds, openId) => openIds.delete(openId)),
  ),
  '/cgi-bin/tags/getidlist': post(tagsOfFollower),
}
