import { count, list, readPages, record, text, type WecomCall } from './call.ts'

export interface Department {
  departmentId: number
  /** Empty where the app may not read names. */
  name: string
  /** 0 above the root. */
  parentId: number
  order: number
}

export type MemberState = 'active' | 'disabled' | 'not_activated' | 'left' | 'unknown'

/** What an app sees of a member: apps made after June 2022 get neither mobile nor mail nor picture. */
export interface Member {
  userId: string
  name: string
  departmentIds: number[]
  position: string
  state: MemberState
}

/** The corp's own address book (通讯录), read only. */
export interface Directory {
  /** @throws ChannelError `recipient` (60111) for somebody unknown, `config` (60011) outside the visible range */
  readMember(userId: string): Promise<Member>
  /** Everybody's userid with their departments: one row for each department that somebody is in. */
  listMembers(): Promise<{ userId: string; departmentId: number }[]>
  /** The departments below one, itself included; all without one. */
  listDepartments(below?: number): Promise<Department[]>
}

const STATES: Record<number, MemberState> = { 1: 'active', 2: 'disabled', 4: 'not_activated', 5: 'left' }

export function createDirectory(call: WecomCall): Directory {
  return {
    /** @see https://developer.work.weixin.qq.com/document/path/90196 */
    async readMember(userId) {
      const answer = await call({ path: '/cgi-bin/user/get', query: { userid: userId }, isSafe: true })
      return {
        userId: text(answer.userid) || userId,
        name: text(answer.name),
        departmentIds: (Array.isArray(answer.department) ? answer.department : []).map(Number),
        position: text(answer.position),
        state: STATES[count(answer.status)] ?? 'unknown',
      }
    },
    /** @see https://developer.work.weixin.qq.com/document/path/96067 */
    async listMembers() {
      const rows = await readPages(async cursor => {
        const body = { cursor, limit: 10_000 }
        const answer = await call({ path: '/cgi-bin/user/list_id', body, isSafe: true })
        return { items: list(answer.dept_user), next: answer.next_cursor }
      })
      return rows.map(row => ({ userId: text(row.userid), departmentId: count(row.department) }))
    },
    /** @see https://developer.work.weixin.qq.com/document/path/90208 */
    async listDepartments(below) {
      const answer = await call({
        path: '/cgi-bin/department/list',
        query: below === undefined ? {} : { id: String(below) },
        isSafe: true,
      })
      return list(answer.department).map(readDepartment)
    },
  }
}

function readDepartment(value: unknown): Department {
  const row = record(value)
  return {
    departmentId: count(row.id),
    name: text(row.name),
    parentId: count(row.parentid),
    order: count(row.order),
  }
}
