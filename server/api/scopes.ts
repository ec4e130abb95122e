/** What a token may do (权限), and how pages and the description of the interface call it. Every route asks for one of them. */
export const scopes = {
  'units:read': '读单位',
  'roster:read': '读名册（手机号打码）',
  'roster:write': '导入名册',
  'groups:read': '读群',
  'notices:read': '读通知和进度',
  'notices:write': '发通知',
  'figures:read': '读数字、活动和消息记录',
  'forms:read': '下载跟踪摸底表',
  'roster:full': '读名册里的完整手机号',
} as const

export type Scope = keyof typeof scopes

export const SCOPES = Object.keys(scopes) as Scope[]

/** Gives whole phone numbers: only for the office that runs the very unit, and each use is noted. */
export const FULL_ROSTER: Scope = 'roster:full'
