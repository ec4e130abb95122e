import type { Log } from './log.ts'
import type { FaultName, FaultOptions } from './types.ts'

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
}

export interface Faults {
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
      if (!(name in FAULTS)) throw new RangeError(`unknown fault ${name}`)
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
