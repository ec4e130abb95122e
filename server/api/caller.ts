import type { FastifyRequest } from 'fastify'
import { takeSlots } from '../../db/queries/limits.ts'
import { type Caller, readToken } from '../domain/api-tokens/read.ts'
import type { Runtime } from '../runtime.ts'
import { ApiFault } from './faults.ts'
import { type Scope, scopes } from './scopes.ts'

/** At most 120 calls in any minute for one token (project assumption): 60 at once, the others evenly. */
const BURST = 60
const INTERVAL_MS = 1000

/**
 * Whom a request comes from, once the token stands, has the scope, and is not too fast.
 * @throws ApiFault 401, 429 or 403
 */
export async function callerOf(rt: Runtime, request: FastifyRequest, scope: Scope): Promise<Caller> {
  const token = /^Bearer (qz_[\w-]{20,100})$/i.exec(request.headers.authorization ?? '')?.[1]
  if (!token)
    throw new ApiFault(401, 'token.missing', '请在请求头里带上令牌：Authorization: Bearer qz_…', {
      'www-authenticate': 'Bearer',
    })
  const caller = await readToken(rt, token)
  if (!caller)
    throw new ApiFault(
      401,
      'token.invalid',
      '令牌不对，或已停用、过期，或建它的人不再负责这个单位。请在“接口令牌”页面重新建一个。',
      { 'www-authenticate': 'Bearer error="invalid_token"' },
    )
  await keepPace(rt, caller)
  if (!caller.scopes.has(scope))
    throw new ApiFault(403, 'scope.missing', `这个令牌没有“${scopes[scope]}”（${scope}）的权限。`)
  return caller
}

async function keepPace(rt: Runtime, { tokenId }: Caller): Promise<void> {
  const now = rt.clock.now()
  const pace = { key: `api:${tokenId}`, costMs: INTERVAL_MS, aheadMs: BURST * INTERVAL_MS }
  const noSlot = await takeSlots(rt.db, [pace], [], now)
  if (!noSlot) return
  const seconds = Math.max(1, Math.ceil((noSlot.freeAt.getTime() - now.getTime()) / 1000))
  throw new ApiFault(429, 'rate.limited', `调用太快（每分钟最多 120 次），请 ${seconds} 秒后再试。`, {
    'retry-after': String(seconds),
  })
}
