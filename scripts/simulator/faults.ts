import type { Log } from './log.ts'
import type { FaultName, FaultOptions } from './types.ts'

/** What each fault is called on the phone page. */
export const FAULTS: Record<FaultName, string> = {
  'slow-answers': '接口应答变慢',
  'http-500': '接口返回 HTTP 500',
  'token-void': 'access_token 提前失效',
  'duplicate-callbacks': '回调重复推送',
  'reorder-callbacks': '回调乱序',
  'drop-callbacks': '回调丢失',
  'owners-never-confirm': '群主始终不确认群发',
  'quota-exhausted': '调用额度用尽 (45009)',
  'robot-removed': '群机器人被移除 (93000)',
  'ip-refused': '来源 IP 不可信 (60020/40164)',
  'no-permission': '没有接口权限 (48001/48002)',
  'answers-lost': '接口已执行但没有应答',
  busy: '系统繁忙 (-1)',
  'pay-balance-short': '商户余额不足，转账停在 PROCESSING',
  'pay-answer-lost': '微信支付已受理但没有应答',
  'pay-http-500': '微信支付返回 HTTP 500 (SYSTEM_ERROR)',
  'pay-not-found': '微信支付查单答“记录不存在” (NOT_FOUND)',
  'pay-frequency': '微信支付频率超限 (FREQUENCY_LIMITED)',
  'pay-sign-test': '微信支付签名探测 (WECHATPAY/SIGNTEST)',
}

export interface Faults {
  /** Switches a fault on, with new options when it is on already. @throws RangeError for options that make no sense. */
  on(name: FaultName, options?: FaultOptions): void
  off(name: FaultName): void
  clear(): void
  active(): Partial<Record<FaultName, FaultOptions>>
  /** Whether the fault strikes here; counts down its `times`. */
  strikes(name: FaultName, path: string): FaultOptions | undefined
}

export function createFaults(random: () => number, log: Log): Faults {
  const active = new Map<FaultName, FaultOptions>()
  return {
    on(name, options = {}) {
      if (!Object.hasOwn(FAULTS, name)) throw new RangeError(`unknown fault ${name}`)
      check(options)
      active.set(name, { ...(name === 'token-void' ? { times: 1 } : {}), ...options })
      log.add('fault', { name, on: true })
    },
    off(name) {
      if (active.delete(name)) log.add('fault', { name, on: false })
    },
    clear() {
      for (const name of active.keys()) log.add('fault', { name, on: false })
      active.clear()
    },
    active: () => Object.fromEntries(active),
    strikes(name, path) {
      const options = active.get(name)
      if (!options) return undefined
      if (options.path !== undefined && !path.includes(options.path)) return undefined
      if (options.rate !== undefined && random() >= options.rate) return undefined
      if (options.times !== undefined) {
        options.times -= 1
        if (options.times <= 0) active.delete(name)
      }
      return options
    },
  }
}

function check({ times, rate, ms }: FaultOptions): void {
  if (times !== undefined && !(Number.isInteger(times) && times > 0))
    throw new RangeError('times must be a whole number from 1 on')
  if (rate !== undefined && !(rate > 0 && rate <= 1))
    throw new RangeError('rate must be above 0 and at most 1')
  if (ms !== undefined && !(ms >= 0 && ms <= 600_000)) throw new RangeError('ms must be 0 to 600000')
}
