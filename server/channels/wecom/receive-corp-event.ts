import { itemsOf } from '../callback/contents.ts'
import { countOf, type Fields, field } from '../callback/fields.ts'
import type { UpdateContent } from '../callback/update.ts'
import type { GroupChange } from '../channel.ts'

type Change<Kind extends UpdateContent['kind']> =
  Extract<UpdateContent, { kind: Kind }> extends { change: infer Each } ? Each : never

/** What changes in the corp: its customers, their groups and tags, its own address book. */
export function readCorpEvent(event: string, fields: Fields): UpdateContent | null {
  const change = field(fields, 'ChangeType')
  switch (event) {
    case 'change_external_chat':
      return readGroup(change, fields)
    case 'change_external_contact':
      return readCustomer(change, fields)
    case 'change_external_tag':
      return {
        kind: 'tag',
        change: tagChanges.get(change) ?? 'other',
        tagId: field(fields, 'Id'),
        isGroup: field(fields, 'TagType') === 'tag_group',
        strategyId: field(fields, 'StrategyId') || null,
      }
    case 'change_contact':
      return readContact(change, fields)
    default:
      return null
  }
}

/** @see https://developer.work.weixin.qq.com/document/path/92130 */
function readGroup(changeType: string, fields: Fields): UpdateContent | null {
  const chatId = field(fields, 'ChatId')
  if (chatId === '') return null
  const change = groupChange(changeType, field(fields, 'UpdateDetail'))
  const joinScene = field(fields, 'JoinScene')
  const quitScene = field(fields, 'QuitScene')
  return {
    kind: 'group',
    change,
    chatId,
    // newer servers send one Item each, older clients one text with commas; it may be missing
    addresses: itemsOf(fields, 'MemChangeList'),
    count: countOf(fields, 'MemChangeCnt'),
    joinScene:
      change !== 'joined' ? null : joinScene === '0' ? 'invited' : joinScene === '3' ? 'scanned' : null,
    quitScene: change !== 'left' ? null : quitScene === '0' ? 'left' : quitScene === '1' ? 'removed' : null,
    lastVersion: field(fields, 'LastMemVer'),
    version: field(fields, 'CurMemVer'),
  }
}

function groupChange(changeType: string, detail: string): GroupChange {
  if (changeType === 'create') return 'created'
  if (changeType === 'dismiss') return 'dismissed'
  return groupChanges.get(detail) ?? 'other'
}

const groupChanges: ReadonlyMap<string, GroupChange> = new Map([
  ['add_member', 'joined'],
  ['del_member', 'left'],
  ['change_owner', 'owner_changed'],
  ['change_name', 'renamed'],
  ['change_notice', 'notice_changed'],
])

/** @see https://developer.work.weixin.qq.com/document/path/92130 */
function readCustomer(change: string, fields: Fields): UpdateContent | null {
  const userId = field(fields, 'UserID')
  const customerId = field(fields, 'ExternalUserID')
  if (userId === '' || customerId === '') return null
  return {
    kind: 'customer',
    change: customerChanges.get(change) ?? 'other',
    userId,
    customerId,
    state: field(fields, 'State') || null,
    welcomeCode: field(fields, 'WelcomeCode') || null,
    reason: field(fields, 'FailReason') || field(fields, 'Source') || null,
  }
}

const customerChanges: ReadonlyMap<string, Change<'customer'>> = new Map([
  ['add_external_contact', 'added'],
  ['add_half_external_contact', 'half_added'],
  ['edit_external_contact', 'edited'],
  ['del_external_contact', 'removed_by_staff'],
  ['del_follow_user', 'removed_by_customer'],
  ['transfer_fail', 'transfer_failed'],
  ['msg_audit_approved', 'archive_agreed'],
])

const tagChanges: ReadonlyMap<string, Change<'tag'>> = new Map([
  ['create', 'created'],
  ['update', 'updated'],
  ['delete', 'deleted'],
  ['shuffle', 'shuffled'],
])

/** The member, department or tag is in a field of its own. */
function readContact(changeType: string, fields: Fields): UpdateContent | null {
  const id = field(fields, 'UserID') || field(fields, 'TagId') || field(fields, 'Id')
  if (id === '') return null
  const details: [string, string][] = []
  for (const name of fields.keys()) {
    const value = field(fields, name) || itemsOf(fields, name).join(',')
    if (value !== '' && !contactHead.has(name)) details.push([name, value])
  }
  return {
    kind: 'contact',
    change: contactChanges.get(changeType) ?? 'other',
    id,
    newUserId: field(fields, 'NewUserID') || null,
    details: Object.fromEntries(details),
  }
}

const contactChanges: ReadonlyMap<string, Change<'contact'>> = new Map([
  ['create_user', 'user_created'],
  ['update_user', 'user_updated'],
  ['delete_user', 'user_deleted'],
  ['create_party', 'department_created'],
  ['update_party', 'department_updated'],
  ['delete_party', 'department_deleted'],
  ['update_tag', 'tag_updated'],
])

/** What is no detail of the change: the head, and what has a place of its own. */
const contactHead: ReadonlySet<string> = new Set([
  ...['ToUserName', 'FromUserName', 'CreateTime', 'MsgType', 'Event', 'AgentID', 'ChangeType'],
  ...['SuiteId', 'AuthCorpId', 'InfoType', 'TimeStamp', 'UserID', 'NewUserID', 'TagId', 'Id'],
])
