import { readToken } from '../token.ts'
import { count, list, readPages, text, type WecomCall } from './call.ts'
import { type CustomerGroupReader, createCustomerGroups } from './customer-groups.ts'
import { createCustomers } from './customers.ts'
import { createDirectory, type Directory } from './directory.ts'

/** How the app is shared: 上下游 (`chain`) or 企业互联 (`linked`). */
export type SharingKind = 'chain' | 'linked'

/** A corp that the app is shared with, and the app's number there. */
export interface SharedCorp {
  corpId: string
  name: string
  agentId: number
}

export interface ChainGroup {
  groupId: string
  name: string
  parentId: string
}

/** A corp at its place in a chain; it may not have joined yet. */
export interface ChainCorp {
  groupId: string
  corpId: string
  name: string
  /** The upstream's own number for it. */
  customId: string
  hasJoined: boolean
}

/** The matrix over many corps (上下游), read only. Only one app of the corp may call these. */
export interface CorpSharing {
  /** @throws ChannelError `config` (670001) when the app is not shared */
  listCorps(kind: SharingKind): Promise<SharedCorp[]>
  listChains(): Promise<{ chainId: string; name: string }[]>
  listGroups(chainId: string): Promise<ChainGroup[]>
  /** @param withPending corps that were invited and have not joined too */
  listChainCorps(chainId: string, groupId: string, withPending: boolean): Promise<ChainCorp[]>
  /** The same corp with a token of its own; made once and kept. */
  downstream(corp: SharedCorp, kind: SharingKind): DownstreamCorp
}

/** What can be read in the name of a downstream corp. Its userids are encrypted, and unionids are not given. */
export interface DownstreamCorp {
  directory: Directory
  groups: Pick<CustomerGroupReader, 'list' | 'read' | 'countByOwner' | 'countByDay'>
}

const BASE = '/cgi-bin/corpgroup/corp'
const BUSINESS = { linked: 0, chain: 1 } as const

/** Makes calls with another token: `account` is what it is kept under, `fetchToken` asks for a new one. */
export type OpenCalls = (
  account: string,
  fetchToken: () => Promise<{ token: string; expiresInSeconds: number }>,
) => WecomCall

export function createCorpSharing(
  call: WecomCall,
  agentId: number,
  now: () => Date,
  openCalls: OpenCalls,
): CorpSharing {
  const opened = new Map<string, DownstreamCorp>()
  return {
    /** @see https://developer.work.weixin.qq.com/document/path/95816 */
    downstream(corp, kind) {
      const account = `wecom:${kind}:${corp.corpId}`
      const known = opened.get(account)
      if (known) return known
      const theirs = openCalls(account, async () => {
        const body = { corpid: corp.corpId, business_type: BUSINESS[kind], agentid: corp.agentId }
        return readToken(await call({ path: `${BASE}/gettoken`, body, isSafe: true }))
      })
      const made = {
        directory: createDirectory(theirs),
        groups: createCustomerGroups(theirs, now, createCustomers(theirs).listFollowUsers),
      }
      opened.set(account, made)
      return made
    },

    /** @see https://developer.work.weixin.qq.com/document/path/95813 */
    async listCorps(kind) {
      const corps: SharedCorp[] = []
      let cursor = ''
      for (;;) {
        const answer = await call({
          path: `${BASE}/list_app_share_info`,
          body: { agentid: agentId, business_type: BUSINESS[kind], limit: 100, cursor },
          isSafe: true,
        })
        corps.push(
          ...list(answer.corp_list).map(row => ({
            corpId: text(row.corpid),
            name: text(row.corp_name),
            agentId: count(row.agentid),
          })),
        )
        const next = text(answer.next_cursor)
        if (count(answer.ending) === 1 || next === '' || next === cursor) return corps
        cursor = next
      }
    },
    /** @see https://developer.work.weixin.qq.com/document/path/97213 */
    async listChains() {
      const answer = await call({ path: `${BASE}/get_chain_list`, isSafe: true })
      return list(answer.chains).map(row => ({ chainId: text(row.chain_id), name: text(row.chain_name) }))
    },
    async listGroups(chainId) {
      const body = { chain_id: chainId }
      const answer = await call({ path: `${BASE}/get_chain_group`, body, isSafe: true })
      return list(answer.groups).map(row => ({
        groupId: text(row.groupid),
        name: text(row.group_name),
        parentId: text(row.parentid),
      }))
    },
    async listChainCorps(chainId, groupId, withPending) {
      const corps = await readPages(async cursor => {
        const body = {
          chain_id: chainId,
          groupid: Number(groupId),
          need_pending: withPending,
          cursor,
          limit: 100,
        }
        const answer = await call({ path: `${BASE}/get_chain_corpinfo_list`, body, isSafe: true })
        return { items: list(answer.group_corps), next: answer.next_cursor }
      })
      return corps.map(row => ({
        groupId: text(row.groupid),
        corpId: text(row.corpid) || text(row.pending_corpid),
        name: text(row.corp_name),
        customId: text(row.custom_id),
        hasJoined: row.is_joined === true || count(row.is_joined) === 1,
      }))
    },
  }
}
