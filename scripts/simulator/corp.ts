import type { WecomApp } from './core.ts'

/** A department (部门); the root is 1. */
export interface Department {
  id: number
  name: string
  parentId: number
  order: number
}

export interface TagGroup {
  id: string
  name: string
  createdAt: Date
  tags: { id: string; name: string; createdAt: Date }[]
}

/** A code by which people add staff (联系我). */
export interface ContactWay {
  configId: string
  agentId: number
  type: number
  scene: number
  remark: string
  skipVerify: boolean
  state: string
  userIds: string[]
  qrCode: string
}

/** What a login page brings back, for one person. */
export interface LoginCode {
  personId: string
  agentId: number
  /** The member agreed to show mobile and mail. */
  withDetails: boolean
  expiresAt: number
  used: boolean
}

/** What newcomers of groups see (入群欢迎语). */
export interface GroupWelcome {
  id: string
  agentId: number
  body: Record<string, unknown>
}

/** What a corp has beside its people and groups. */
export interface Corp {
  departments: Map<number, Department>
  /** By id. */
  tagGroups: Map<string, TagGroup>
  contactWays: Map<string, ContactWay>
  loginCodes: Map<string, LoginCode>
  /** user_ticket → whose details it opens, and until when. */
  privateTickets: Map<string, { personId: string; expiresAt: number }>
  /** By what they are for. */
  pageTickets: Map<string, { ticket: string; expiresAt: number }>
  groupWelcomes: Map<string, GroupWelcome>
  /** Moments at which a group was given away while its owner still worked there. */
  transfers: Map<string, number[]>
  /** The app as it acts in the name of a downstream corp, by `kind corpid`. */
  downstreamApps: Map<string, WecomApp>
  /** Provisional ids of people who are not customers yet, by unionid. */
  pendingIds: Map<string, string>
}

export function createCorp(): Corp {
  return {
    departments: new Map([[1, { id: 1, name: '组织架构', parentId: 0, order: 100_000_000 }]]),
    tagGroups: new Map(),
    contactWays: new Map(),
    loginCodes: new Map(),
    privateTickets: new Map(),
    pageTickets: new Map(),
    groupWelcomes: new Map(),
    transfers: new Map(),
    downstreamApps: new Map(),
    pendingIds: new Map(),
  }
}

/** A department and all below it. */
export function departmentsBelow(corp: Corp, id: number): Department[] {
  const found = [...corp.departments.values()].filter(department => department.id === id)
  for (const above of found)
    for (const department of corp.departments.values())
      if (department.parentId === above.id) found.push(department)
  return found
}
