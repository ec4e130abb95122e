import { closeAlarm, openAlarms, raiseAlarm } from '../../../db/queries/alarms.ts'
import { chineseMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { isAfter } from '../identities/leave.ts'
import type { AppState, CorpChange, JobResult } from './types.ts'

/**
 * The platform is about to switch the app off, or has: then the whole matrix falls silent, and only an administrator of
 * the corp can help. @see https://developer.work.weixin.qq.com/document/path/90240
 */
export async function noteAppState(rt: DomainRuntime, { at, state, effectAt }: AppState): Promise<void> {
  const from = effectAt ? `从${chineseMoment(effectAt)}起` : '不久'
  const words: Record<AppState['state'], string> = {
    inactive_alert: `企业微信提示：应用长期没有人使用，${from}将被停用。请管理员登录管理后台“应用管理”，打开本应用确认继续使用，并请几位成员在企业微信里打开应用。`,
    closed_inactive:
      '企业微信已因长期没有人使用停用了本应用：消息收不到也发不出。请管理员马上登录管理后台“应用管理”重新启用，然后给应用发一条“帮助”看是否答复。',
    reopened:
      '企业微信已重新启用本应用。请给应用发一条“帮助”看是否答复，停用期间没有发出的消息请在待发消息里核对。',
    low_active_alert: `企业微信提示：应用活跃度低，${from}将被限制。请管理员登录管理后台“应用管理”查看要求，并请成员在企业微信里打开应用。`,
    low_active:
      '企业微信已因活跃度低限制了本应用。请管理员登录管理后台“应用管理”查看被限制的能力和恢复办法，并请成员在企业微信里打开应用。',
    active_restored: '企业微信已解除对本应用的活跃度限制。请给应用发一条“帮助”看是否答复。',
  }
  await closeOver(rt, ended[state] ?? [], at)
  await raiseAlarm(rt.db, `app:wecom:${state}`, words[state], rt.clock.now())
}

/** What is over when the platform takes it back. */
const ended: Partial<Record<AppState['state'], AppState['state'][]>> = {
  reopened: ['inactive_alert', 'closed_inactive'],
  active_restored: ['low_active_alert', 'low_active'],
}

/** Closes alarms that are over; one that was raised after the event (which is late then) stays. */
async function closeOver(rt: DomainRuntime, states: AppState['state'][], at: Date): Promise<void> {
  if (states.length === 0) return
  for (const alarm of await openAlarms(rt.db))
    if (states.some(state => alarm.cause === `app:wecom:${state}`) && !isAfter(alarm.lastAt, at))
      await closeAlarm(rt.db, alarm.id, rt.clock.now())
}

/** Something of the corp changed that an administrator has done on purpose, and whose side effects are easily missed. */
export async function noteCorpChange(rt: DomainRuntime, event: CorpChange): Promise<void> {
  const words: Record<CorpChange, string> = {
    open_approval_change:
      '企业微信里有审批单的状态变了。本系统不处理审批，知悉即可；不需要的话请在管理后台取消该回调。',
    share_chain_change: '企业微信上下游的共享范围变了。请核对下级单位是否仍能看到本应用，能否收到消息。',
    change_chain: '企业微信上下游的成员企业变了。请核对下级单位是否仍能看到本应用，能否收到消息。',
  }
  await raiseAlarm(rt.db, `corp:wecom:${event}`, words[event], rt.clock.now())
}

/** An asynchronous job of ours is done. The platform's words are left out of the alarm: they may name people. */
export async function noteJob(rt: DomainRuntime, { job, errcode }: JobResult): Promise<void> {
  if (errcode.trim() === '' || Number(errcode) === 0) return
  const [name, code] = [bareWord(job), bareWord(errcode)]
  await raiseAlarm(
    rt.db,
    `job:wecom:${name}`,
    `企业微信的异步任务 ${name} 没有完成（错误码 ${code}）。请在企业微信开发者中心的错误码工具里查明原因，改正后重做一次。`,
    rt.clock.now(),
  )
}

/** An alarm is shown on a terminal: of a word from outside only what a name of the platform may hold. */
function bareWord(word: string): string {
  return word.replace(/[^\w.-]/g, '').slice(0, 40) || 'unknown'
}
