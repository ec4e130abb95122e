import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import type { DownstreamSettings } from '../types.ts'
import { flag, integer, optionalText, page, text } from './fields.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'

const KINDS = ['linked', 'chain'] as const
const NOT_SHARED = 670001
const ROOT_GROUP = 1

const kindOf = (corp: DownstreamSettings) => corp.kind ?? 'chain'
const hasJoined = (corp: DownstreamSettings) => corp.hasJoined !== false
const chainId = (app: WecomApp) => `chain-${app.corpId}`

/** @see developer.work.weixin.qq.com/document/path/95813 */
function listSharing({ subject, body }: ApiCall<WecomApp>) {
  if (integer(body, 'agentid', 1, 2_147_483_647) !== subject.agentId)
    refuse(301002, 'not allow operate another agent with this accesstoken')
  const kind = KINDS[integer(body, 'business_type', 0, 1, 0)]
  const only = optionalText(body, 'corpid')
  const corps = (subject.downstream ?? []).filter(
    corp => kindOf(corp) === kind && hasJoined(corp) && (only === undefined || corp.corpId === only),
  )
  if (corps.length === 0) refuse(NOT_SHARED, 'the app is not shared')
  const found = page(corps, optionalText(body, 'cursor'), integer(body, 'limit', 1, 100, 50))
  return {
    ending: found.next === '' ? 1 : 0,
    corp_list: found.items.map(({ corpId, name, agentId }) => ({
      corpid: corpId,
      corp_name: name,
      agentid: agentId,
    })),
    next_cursor: found.next,
  }
}

/** A token that speaks for the downstream corp. @see developer.work.weixin.qq.com/document/path/95816 */
function downstreamToken({ core, subject, body }: ApiCall<WecomApp>) {
  const corpId = text(body, 'corpid')
  const kind = KINDS[integer(body, 'business_type', 0, 1)]
  const agentId = integer(body, 'agentid', 1, 2_147_483_647)
  const corp = subject.downstream?.find(one => one.corpId === corpId && kindOf(one) === kind)
  if (!corp || !hasJoined(corp) || corp.agentId !== agentId) refuse(NOT_SHARED, 'the app is not shared')
  return { ...core.tokens.wecom(downstreamApp(core, subject, corp)) }
}

function downstreamApp(core: Core, upstream: WecomApp, corp: DownstreamSettings): WecomApp {
  const { downstreamApps } = core.world.corp
  const key = `${kindOf(corp)} ${corp.corpId}`
  const known = downstreamApps.get(key)
  if (known) return known
  const app: WecomApp = {
    corpId: corp.corpId,
    agentId: corp.agentId,
    secret: `${key} of ${upstream.corpId}`,
    token: upstream.token,
    aesKey: upstream.aesKey,
    // events of the shared app arrive at the upstream corp's address
    channel: upstream.channel,
  }
  downstreamApps.set(key, app)
  return app
}

/** Groups of a chain: the root, and those that corps stand in. */
function groupIds(app: WecomApp): number[] {
  return [...new Set([ROOT_GROUP, ...(app.downstream ?? []).map(corp => corp.groupId ?? ROOT_GROUP)])]
}

function checkChain({ subject, body }: ApiCall<WecomApp>): void {
  if (text(body, 'chain_id') !== chainId(subject) || (subject.downstream ?? []).length === 0)
    refuse(40058, 'invalid parameter: chain_id')
}

function listGroups(call: ApiCall<WecomApp>) {
  checkChain(call)
  return {
    groups: groupIds(call.subject).map((id, order) => ({
      groupid: id,
      group_name: id === ROOT_GROUP ? '上下游' : `分组${id}`,
      parentid: id === ROOT_GROUP ? 0 : ROOT_GROUP,
      order,
    })),
  }
}

function listCorps(call: ApiCall<WecomApp>) {
  checkChain(call)
  const { subject, body } = call
  const groupId = integer(body, 'groupid', 1, 2_147_483_647)
  const needPending = flag(body, 'need_pending', false)
  const corps = (subject.downstream ?? []).filter(
    corp => (corp.groupId ?? ROOT_GROUP) === groupId && (hasJoined(corp) || needPending),
  )
  const found = page(corps, optionalText(body, 'cursor'), integer(body, 'limit', 1, 100, 50))
  return {
    group_corps: found.items.map(corp => ({
      groupid: groupId,
      ...(hasJoined(corp) ? { corpid: corp.corpId } : { pending_corpid: corp.corpId }),
      corp_name: corp.name,
      custom_id: corp.customId ?? '',
      invite_userid: '',
      is_joined: hasJoined(corp) ? 1 : 0,
    })),
    next_cursor: found.next,
  }
}

const BASE = '/cgi-bin/corpgroup/corp'

export const wecomCorpgroup: ApiTable<WecomApp> = {
  [`${BASE}/list_app_share_info`]: post(listSharing),
  [`${BASE}/gettoken`]: post(downstreamToken),
  [`${BASE}/get_chain_list`]: get(({ subject }) => ({
    chains:
      (subject.downstream ?? []).length === 0
        ? []
        : [{ chain_id: chainId(subject), chain_name: subject.name ?? '' }],
  })),
  [`${BASE}/get_chain_group`]: post(listGroups),
  [`${BASE}/get_chain_corpinfo_list`]: post(listCorps),
}
