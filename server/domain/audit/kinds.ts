import { auditActions } from './action-words.ts'

/** The kinds of actions by which the audit log is looked through; an action may be of several. */
export const auditKinds = [
  { id: 'views', name: '查看和导出', of: /\.(exported|unmasked|viewed)$/ },
  {
    id: 'notices',
    name: '通知',
    of: /^(notice|notice_draft|notice_answers|work_schedule|work_schedule_step|delivery|rehearsal)\./,
  },
  { id: 'groups', name: '群和成员', of: /^(group|member|task|roll_call)\./ },
  { id: 'slips', name: '上报和求助', of: /^(slip|danger|alert_verdict)\./ },
  { id: 'requests', name: '入群申请', of: /^join_request\./ },
  {
    id: 'records',
    name: '记录和报表',
    of: /^(month|record|record_file|activity|sheet|form|unit_account|unit_plan|unit_facts|duty_report|inspection|ready_post)\./,
  },
  { id: 'money', name: '补贴', of: /^subsidy\./ },
  { id: 'roster', name: '名册和人员', of: /^(roster|roster_draft|roster_import|person|volunteer)\./ },
  { id: 'units', name: '单位、交接和联系点', of: /^(unit|hand_over|contact)\./ },
  { id: 'tokens', name: '接口令牌', of: /^api_token\./ },
  {
    id: 'accounts',
    name: '账号和登录',
    of: /^(session|identity|binding_code|authorization|consent|administrator)\./,
  },
  { id: 'server', name: '运维', of: /^(alarm|messages?|updates?|outgoing|server)\./ },
] as const

export type AuditKind = (typeof auditKinds)[number]['id']

/** The actions of a kind by their names: comparing names is many times faster than patterns over a long log. */
export function actionsOf(kind: AuditKind): string[] {
  const of = auditKinds.find(each => each.id === kind)?.of
  return auditActions.filter(action => of?.test(action))
}
