import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { rememberDetail } from '../group-events.ts'
import { DAY } from '../limits.ts'
import { seesGroup, visibleMember } from '../visible.ts'
import type { PersonRecord } from '../world.ts'
import { text, textList } from './fields.ts'
import { type ApiCall, type ApiTable, post } from './platform.ts'

const GROUPS_PER_CALL = 100
const GROUPS_PER_DAY = 300
/** Of one group while its owner works there. */
const TRANSFERS_PER_QUARTER = 2
const QUARTER = 90 * DAY
const CAPACITY = 500

// The official list names 90500 (the owner has not left), 90501 (not a customer group) and 90503 (full or not allowed);
// of 90504 to 90511 only that they belong here is known, so the two quotas have one each of those.
const CODES = {
  ownerStays: 90500,
  notCustomerGroup: 90501,
  ownerLeft: 90502,
  full: 90503,
  dailyQuota: 90506,
  quarterQuota: 90508,
}

type Reason = [code: number, message: string]

/** @see developer.work.weixin.qq.com/document/path/92127 and 95703. Nobody is told of what an interface did. */
function transfer({ core, subject, body }: ApiCall<WecomApp>, isOnJob: boolean) {
  const chatIds = textList(body, 'chat_id_list', GROUPS_PER_CALL)
  if (chatIds.length === 0) refuse(40058, 'invalid parameter: chat_id_list missing')
  const heir = visibleMember(core, subject, text(body, 'new_owner'), 40031)
  const failed = chatIds.flatMap(chatId => {
    const reason = hindrance(core, subject, chatId, heir, isOnJob)
    if (!reason) {
      handOver(core, chatId, heir, isOnJob)
      return []
    }
    return [{ chat_id: chatId, errcode: reason[0], errmsg: reason[1] }]
  })
  return { failed_chat_list: failed }
}

function hindrance(
  core: Core,
  app: WecomApp,
  chatId: string,
  heir: PersonRecord,
  isOnJob: boolean,
): Reason | undefined {
  const group = core.world.groups.get(chatId)
  if (!group || !seesGroup(core, app, group)) return [CODES.notCustomerGroup, 'not a customer group']
  const owner = core.world.person(group.ownerId)
  const hasLeft = owner.wecomUserId === undefined
  if (isOnJob && hasLeft) return [CODES.ownerLeft, 'the owner has left']
  if (!isOnJob && !hasLeft) return [CODES.ownerStays, 'the owner has not left']
  if (owner === heir) return [CODES.full, 'the new owner owns the group already']
  if (!group.members.has(heir.id) && group.members.size >= CAPACITY) return [CODES.full, 'the group is full']
  if (!core.limits.has('transferQuota')) return undefined
  if (isOnJob) {
    const now = core.clock.now().getTime()
    const recent = (core.world.corp.transfers.get(chatId) ?? []).filter(at => at > now - QUARTER)
    if (recent.length >= TRANSFERS_PER_QUARTER) return [CODES.quarterQuota, 'two transfers in 90 days']
  }
  const isFree = core.limits.takeToday(`transfer|${isOnJob}|${heir.id}`, GROUPS_PER_DAY)
  return isFree ? undefined : [CODES.dailyQuota, 'too many groups for this owner today']
}

function handOver(core: Core, chatId: string, heir: PersonRecord, isOnJob: boolean): void {
  const group = core.world.group(chatId)
  const now = core.clock.now()
  rememberDetail(core, group)
  if (!group.members.has(heir.id))
    core.world.putMember(group, {
      personId: heir.id,
      memberId: core.world.memberIdOf(heir, 'customer'),
      joinedAt: now,
      joinScene: 1,
    })
  group.ownerId = heir.id
  if (isOnJob) {
    const before = core.world.corp.transfers.get(chatId) ?? []
    core.world.corp.transfers.set(chatId, [...before, now.getTime()])
  }
  core.log.add('group_owner', { groupId: chatId, personId: heir.id, by: 'api' })
}

const GROUP_CHAT = '/cgi-bin/externalcontact/groupchat'

export const wecomTransfers: ApiTable<WecomApp> = {
  [`${GROUP_CHAT}/transfer`]: post(call => transfer(call, false)),
  [`${GROUP_CHAT}/onjob_transfer`]: post(call => transfer(call, true)),
}
