import { sendOneNotice } from './send-notice.ts'

const MESSAGE_SEND = '/cgi-bin/message/send'
/** @see https://developer.work.weixin.qq.com/document/path/90312 */
const CALLS_A_MINUTE = 10_000

export interface SendFigures {
  /** With the platform's limits lifted. */
  perSecond: number
  cpuMs: number
  /** Of what an interface allows in the minutes measured, with the limits on. */
  shareOfLimit: number
  /** Calls or messages that passed a limit. */
  passed: number
}

/** The figures as targets of the bench. */
export async function sendTargets(serverUrl: string, minutes: number) {
  const { perSecond, cpuMs, shareOfLimit, passed } = await sendFigures(serverUrl, minutes)
  const rounded = (value: number) => Math.round(value * 1000) / 1000
  return [
    { name: 'sent_per_second', value: rounded(perSecond), target: '>=300', holds: perSecond >= 300 },
    // what one core can do when nothing else is on it
    { name: 'send_cpu_ms', value: rounded(cpuMs), target: '<=3.33', holds: cpuMs <= 1000 / 300 },
    { name: 'share_of_limit', value: rounded(shareOfLimit), target: '>=0.95', holds: shareOfLimit >= 0.95 },
    { name: 'limits_passed', value: passed, target: '<=0', holds: passed === 0 },
  ]
}

/**
 * How fast one process sends a notice.
 *
 * Lifted: as mixed as a real one (robots, tasks, owners, the few app chats that one may post into in a minute). Our own
 * limits hold all the same: the notice is as large as they allow at once.
 *
 * Limits on: owners only, each of whom gets two texts, for some whole minutes; the platform counts, and would refuse.
 */
export async function sendFigures(serverUrl: string, minutes: number): Promise<SendFigures> {
  const lifted = await sendOneNotice({
    serverUrl,
    name: 'send_lifted',
    counts: { robots: 4000, appchats: 60, customers: 2000, relayed: 3500 },
    limitsOff: ['callFrequency', 'memberFrequency', 'webhookFrequency', 'appchatFrequency', 'massQuota'],
    forSeconds: 600,
  })
  console.log(
    `放开限额：${lifted.messages} 条消息（${lifted.calls} 次调用）${lifted.seconds.toFixed(1)} 秒，每秒 ${(lifted.messages / lifted.seconds).toFixed(0)} 条；本进程 CPU 每条 ${lifted.cpuMs.toFixed(2)} 毫秒`,
  )
  const limited = await sendOneNotice({
    serverUrl,
    name: 'send_limited',
    counts: { robots: 0, appchats: 0, customers: 0, relayed: 6000 * minutes },
    limitsOff: [],
    forSeconds: 60 * minutes,
  })
  const calls = limited.platform.answered[MESSAGE_SEND] ?? 0
  const passed =
    Object.values(limited.platform.throttled).reduce((sum, count) => sum + count, 0) +
    limited.platform.vanished
  const shareOfLimit = calls / (CALLS_A_MINUTE * minutes)
  console.log(
    `限额打开：${minutes} 分钟 ${calls} 次调用，是所允许的 ${(100 * shareOfLimit).toFixed(1)}%；超过限额 ${passed} 次`,
  )
  return { perSecond: lifted.messages / lifted.seconds, cpuMs: lifted.cpuMs, shareOfLimit, passed }
}
