import { describeError } from '../../db/errors.ts'
import { ChannelError } from '../channels/errors.ts'
import { MustWait } from '../limits.ts'
import type { Runtime } from '../runtime.ts'
import { type Check, cannotTell, type Finding } from './check.ts'
import { officialAccountChecks } from './official-account.ts'
import { findingOf } from './refusals.ts'
import { serverChecks } from './server.ts'
import { wecomChecks } from './wecom.ts'

/** A check that has found nothing by then says so; the others need not wait for it. */
const CHECK_LASTS_MS = 15_000

export type Checked = Pick<Check, 'id' | 'section' | 'title'> & Finding

export interface SelfCheck {
  at: Date
  tookMs: number
  checked: Checked[]
}

/** Everything that can be checked of what is configured. */
export function checksOf({ config, channels }: Pick<Runtime, 'config' | 'channels'>): Check[] {
  return [
    ...(channels.wecom ? wecomChecks(channels.wecom) : []),
    ...(channels.officialAccount && config.officialAccount
      ? officialAccountChecks(channels.officialAccount, config.officialAccount)
      : []),
    ...serverChecks(),
  ]
}

/** Runs all checks at once, each within its time. @param lastsMs how long one may take */
export async function runChecks(rt: Runtime, lastsMs = CHECK_LASTS_MS): Promise<SelfCheck> {
  const started = performance.now()
  const checked = await Promise.all(
    checksOf(rt).map(async ({ run, ...about }) => {
      const finding = await withTimeLimit(async () => run(rt), lastsMs).catch(error => {
        if (!(error instanceof ChannelError || error instanceof MustWait))
          rt.log.error({ check: about.id, ...describeError(error) }, 'a check failed')
        return findingOf(about, error)
      })
      return { ...about, ...finding }
    }),
  )
  return { at: rt.clock.now(), tookMs: Math.round(performance.now() - started), checked }
}

async function withTimeLimit(work: () => Promise<Finding>, lastsMs: number): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<Finding>()
  const timer = setTimeout(
    resolve,
    lastsMs,
    cannotTell(
      `${Math.round(lastsMs / 1000)} 秒没有结果。`,
      '平台应答太慢，过几分钟再检查一次；一直这样请检查服务器的外网。',
    ),
  )
  try {
    return await Promise.race([work(), promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The last self-check of each server, and the one under way: two who ask at once share it. Not kept over a restart. */
const lastOf = new WeakMap<Runtime['config'], SelfCheck>()
const underWay = new WeakMap<Runtime['config'], Promise<SelfCheck>>()

export function lastSelfCheck({ config }: Runtime): SelfCheck | null {
  return lastOf.get(config) ?? null
}

export function selfCheck(rt: Runtime): Promise<SelfCheck> {
  const current = underWay.get(rt.config)
  if (current) return current
  const run = runChecks(rt)
    .then(result => {
      lastOf.set(rt.config, result)
      return result
    })
    .finally(() => underWay.delete(rt.config))
  underWay.set(rt.config, run)
  return run
}
