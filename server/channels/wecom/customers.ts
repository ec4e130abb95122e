import { ChannelError } from '../errors.ts'
import {
  chunksOf,
  count,
  given,
  list,
  moment,
  readPages,
  record,
  text,
  texts,
  type WecomCall,
} from './call.ts'
import { checkCount, checkMostCharacters } from './checks.ts'

/** A customer (客户, 外部联系人). */
export interface Customer {
  customerId: string
  name: string
  isWechat: boolean
  /** Only of WeChat users, and only where the corp has bound an account of the same body. */
  unionId: string | null
}

/** What one staff member has noted of one customer; remarks and tags belong to the pair. */
export interface Following {
  userId: string
  remark: string
  description: string
  since: Date | null
  /** Of the contact way that brought them. */
  state: string | null
  tagIds: string[]
  /** The platform's number: 1 a code, 3 a card, 4 a group … */
  addWay: number
}

export interface CustomerRemark {
  /** At most 20 characters. */
  remark?: string
  /** At most 150 characters. */
  description?: string
  company?: string
  mobiles?: string[]
}

export interface Customers {
  /** The customers of one member; none when there are none. */
  list(userId: string): Promise<string[]>
  /** All who follow the customer, however many. */
  read(customerId: string): Promise<{ customer: Customer; followings: Following[] }>
  /** Customers of many members at once. `failed` are members whose customers could not be read. */
  readByUsers(userIds: string[]): Promise<{
    rows: { customer: Customer; following: Following }[]
    failed: string[]
  }>
  /** Members who may have customers (配置了客户联系功能的成员). */
  listFollowUsers(): Promise<string[]>
  note(userId: string, customerId: string, remark: CustomerRemark): Promise<void>
  tag(userId: string, customerId: string, change: { add?: string[]; remove?: string[] }): Promise<void>
  /** @returns the customer, or a provisional id where the person is not a customer yet */
  customerOf(
    unionId: string,
    openId: string,
  ): Promise<{ customerId: string | null; pendingId: string | null }>
}

const BASE = '/cgi-bin/externalcontact'
const NOT_A_CONTACT = 84061
const MAX_USERS = 100

export function createCustomers(call: WecomCall): Customers {
  return {
    /** @see https://developer.work.weixin.qq.com/document/path/92113 */
    async list(userId) {
      try {
        const answer = await call({ path: `${BASE}/list`, query: { userid: userId }, isSafe: true })
        return texts(answer.external_userid)
      } catch (error) {
        if (error instanceof ChannelError && error.platformCode === NOT_A_CONTACT) return []
        throw error
      }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92114 */
    async read(customerId) {
      let customer: Customer | null = null
      const followings = await readPages(async cursor => {
        const query = { external_userid: customerId, ...(cursor === '' ? {} : { cursor }) }
        const answer = await call({ path: `${BASE}/get`, query, isSafe: true })
        customer ??= readCustomer(answer.external_contact)
        return { items: list(answer.follow_user).map(readFollowing), next: answer.next_cursor }
      })
      return { customer: customer ?? readCustomer({ external_userid: customerId }), followings }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92994 */
    async readByUsers(userIds) {
      const failed: string[] = []
      const rows: { customer: Customer; following: Following }[] = []
      for (const part of chunksOf([...new Set(userIds)], MAX_USERS)) {
        const found = await readPages(async cursor => {
          const body = { userid_list: part, cursor, limit: 100 }
          const answer = await call({ path: `${BASE}/batch/get_by_user`, body, isSafe: true })
          failed.push(...texts(record(answer.fail_info).unlicensed_userid_list))
          return { items: list(answer.external_contact_list), next: answer.next_cursor }
        })
        rows.push(
          ...found.map(row => ({
            customer: readCustomer(row.external_contact),
            following: readFollowing(record(row.follow_info)),
          })),
        )
      }
      return { rows, failed: [...new Set(failed)] }
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92571 */
    async listFollowUsers() {
      return texts((await call({ path: `${BASE}/get_follow_user_list`, isSafe: true })).follow_user)
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92115 */
    async note(userId, customerId, { remark, description, company, mobiles }) {
      checkMostCharacters('备注', remark ?? '', 20)
      checkMostCharacters('描述', description ?? '', 150)
      checkMostCharacters('公司', company ?? '', 20)
      checkCount('手机号', mobiles ?? [], 0, 5)
      await call({
        path: `${BASE}/remark`,
        body: {
          userid: userId,
          external_userid: customerId,
          ...given({ remark, description, remark_company: company, remark_mobiles: mobiles }),
        },
        isSafe: true,
      })
    },

    /** @see https://developer.work.weixin.qq.com/document/path/92118 */
    async tag(userId, customerId, { add, remove }) {
      await call({
        path: `${BASE}/mark_tag`,
        body: { userid: userId, external_userid: customerId, ...given({ add_tag: add, remove_tag: remove }) },
        isSafe: true,
      })
    },

    /** @see https://developer.work.weixin.qq.com/document/path/95900 */
    async customerOf(unionId, openId) {
      const answer = await call({
        path: '/cgi-bin/idconvert/unionid_to_external_userid',
        body: { unionid: unionId, openid: openId, subject_type: 0 },
        isSafe: true,
      })
      return {
        customerId: text(answer.external_userid) || null,
        pendingId: text(answer.pending_id) || null,
      }
    },
  }
}

function readCustomer(value: unknown): Customer {
  const contact = record(value)
  return {
    customerId: text(contact.external_userid),
    name: text(contact.name),
    isWechat: count(contact.type) === 1,
    unionId: text(contact.unionid) || null,
  }
}

/** One by one the tags come with their names, in a batch by their ids only. */
function readFollowing(row: Record<string, unknown>): Following {
  const ids = Array.isArray(row.tag_id) ? texts(row.tag_id) : list(row.tags).map(tag => text(tag.tag_id))
  return {
    userId: text(row.userid),
    remark: text(row.remark),
    description: text(row.description),
    since: moment(row.createtime),
    state: text(row.state) || null,
    tagIds: ids.filter(id => id !== ''),
    addWay: count(row.add_way),
  }
}
