import { given, record, text, texts, type WecomCall } from './call.ts'
import { checkCount, checkMostCharacters, refuse } from './checks.ts'

/** A code by which people add a member of staff (联系我). */
export interface ContactWay {
  /** One member, or several who take turns. */
  userIds: string[]
  /** Comes back in the event and in the following; at most 30 characters. */
  state: string
  /** At most 30 characters. */
  remark?: string
  /** Whether the member must agree first. Default: no. */
  needsConsent?: boolean
}

export interface ContactWays {
  add(way: ContactWay): Promise<{ configId: string; qrCode: string }>
  read(configId: string): Promise<ContactWay & { configId: string; qrCode: string }>
  remove(configId: string): Promise<void>
}

const BASE = '/cgi-bin/externalcontact'
/** Made by several members, a way holds at most 100. @see https://developer.work.weixin.qq.com/document/path/92228 */
const MAX_USERS = 100
const BY_CODE = 2

export function createContactWays(call: WecomCall): ContactWays {
  return {
    async add({ userIds, state, remark, needsConsent }) {
      checkCount('成员', userIds, 1, MAX_USERS)
      if (new Set(userIds).size < userIds.length) refuse('成员不能重复')
      checkMostCharacters('state', state, 30)
      checkMostCharacters('备注', remark ?? '', 30)
      const answer = await call({
        path: `${BASE}/add_contact_way`,
        body: given({
          type: userIds.length === 1 ? 1 : 2,
          scene: BY_CODE,
          user: userIds,
          state,
          remark,
          skip_verify: !needsConsent,
        }),
      })
      return { configId: text(answer.config_id), qrCode: text(answer.qr_code) }
    },
    async read(configId) {
      const answer = await call({
        path: `${BASE}/get_contact_way`,
        body: { config_id: configId },
        isSafe: true,
      })
      const way = record(answer.contact_way)
      return {
        configId: text(way.config_id) || configId,
        qrCode: text(way.qr_code),
        userIds: texts(way.user),
        state: text(way.state),
        remark: text(way.remark),
        needsConsent: way.skip_verify === false,
      }
    },
    async remove(configId) {
      await call({ path: `${BASE}/del_contact_way`, body: { config_id: configId }, isSafe: true })
    },
  }
}
