import type { PlatformAnswer } from '../http.ts'
import {
  characters,
  numberOf,
  optionalTextOf,
  partOf,
  partsOf,
  refuseUnless,
  textOf,
  textsOf,
} from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { Follower, Followers, FollowerTag } from './ports.ts'

const INFO_BATCH = 100
const TAG_BATCH = 50
const MAX_NAME_CHARACTERS = 30

/** 用户管理 and tags. @see https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo.html */
export function createFollowers(client: OfficialAccountClient): Followers {
  async function changeTag(path: string, tagId: number, addresses: string[]): Promise<void> {
    client.require('tags')
    for (const part of batches(addresses, TAG_BATCH))
      await client.call({ path, body: { openid_list: part, tagid: tagId }, isSafe: true })
  }

  return {
    async listFollowers(after) {
      client.require('userList')
      const answer = await client.call({
        path: '/cgi-bin/user/get',
        ...(after === null ? {} : { query: { next_openid: after } }),
        isSafe: true,
      })
      const addresses = textsOf(partOf(answer, 'data'), 'openid')
      // the last page may name its own last follower as the next one
      const next = optionalTextOf(answer, 'next_openid')
      return { total: numberOf(answer, 'total'), addresses, next: addresses.length === 0 ? null : next }
    },

    async readFollower(address) {
      client.require('userList')
      const answer = await client.call({
        path: '/cgi-bin/user/info',
        query: { openid: address, lang: 'zh_CN' },
        isSafe: true,
      })
      return readFollowerPart(answer)
    },

    async readFollowers(addresses) {
      client.require('userList')
      const found: Follower[] = []
      for (const part of batches(addresses, INFO_BATCH)) {
        const answer = await client.call({
          path: '/cgi-bin/user/info/batchget',
          body: { user_list: part.map(openid => ({ openid, lang: 'zh_CN' })) },
          isSafe: true,
        })
        found.push(...partsOf(answer, 'user_info_list').map(readFollowerPart))
      }
      return found
    },

    async remarkFollower(address, remark) {
      client.require('userList')
      refuseUnless(characters(remark) <= MAX_NAME_CHARACTERS, `备注超过 ${MAX_NAME_CHARACTERS} 字`)
      await client.call({
        path: '/cgi-bin/user/info/updateremark',
        body: { openid: address, remark },
        isSafe: true,
      })
    },

    async createTag(name) {
      client.require('tags')
      refuseUnless(
        name !== '' && characters(name) <= MAX_NAME_CHARACTERS,
        `标签名应为 1 至 ${MAX_NAME_CHARACTERS} 字`,
      )
      const answer = await client.call({ path: '/cgi-bin/tags/create', body: { tag: { name } } })
      return readTag(partOf(answer, 'tag'))
    },

    async listTags() {
      client.require('tags')
      return partsOf(await client.call({ path: '/cgi-bin/tags/get', isSafe: true }), 'tags').map(readTag)
    },

    async deleteTag(tagId) {
      client.require('tags')
      await client.call({ path: '/cgi-bin/tags/delete', body: { tag: { id: tagId } }, isSafe: true })
    },

    tagFollowers: (tagId, addresses) => changeTag('/cgi-bin/tags/members/batchtagging', tagId, addresses),
    untagFollowers: (tagId, addresses) => changeTag('/cgi-bin/tags/members/batchuntagging', tagId, addresses),
  }
}

function batches<Item>(items: Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}

function readFollowerPart(part: PlatformAnswer): Follower {
  const followed = numberOf(part, 'subscribe_time')
  // both fields are there whichever kind the scene was of, the other one empty or 0
  const sceneNumber = numberOf(part, 'qr_scene')
  return {
    address: textOf(part, 'openid'),
    isFollowing: numberOf(part, 'subscribe') === 1,
    unionId: optionalTextOf(part, 'unionid'),
    followedAt: followed > 0 ? new Date(followed * 1000) : null,
    remark: textOf(part, 'remark'),
    tagIds: textsOf(part, 'tagid_list').map(Number),
    source: textOf(part, 'subscribe_scene'),
    scene: optionalTextOf(part, 'qr_scene_str') ?? (sceneNumber > 0 ? String(sceneNumber) : null),
  }
}

function readTag(part: PlatformAnswer): FollowerTag {
  return { tagId: numberOf(part, 'id'), name: textOf(part, 'name'), count: numberOf(part, 'count') }
}
