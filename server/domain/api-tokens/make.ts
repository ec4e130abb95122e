import { randomBytes } from 'node:crypto'
import { hasTokenNamed, insertApiToken } from '../../../db/queries/api-tokens.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { FULL_ROSTER, type Scope } from '../../api/scopes.ts'
import { dayOf, shanghaiMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit, runsVeryUnit } from '../actor.ts'

/** A token must be thought of again within a year (project assumption). */
export const MAX_DAYS = 365
const MAX_NAME = 40
const DAY_MS = 86_400_000

export interface NewApiToken {
  unit: UnitRow
  name: string
  scopes: Scope[]
  /** The last day on which it works, `YYYY-MM-DD` in Asia/Shanghai. */
  lastDay: string
}

/**
 * Makes a token for an office's own system. What is returned is all there is of it: only a keyed index is stored.
 * @throws DomainError `rights.missing`, `api_token.name`, `api_token.name_taken`, `api_token.scopes`, `api_token.until`
 */
export async function makeApiToken(
  rt: DomainRuntime,
  actor: KnownActor,
  input: NewApiToken,
): Promise<{ id: number; token: string }> {
  const { unit, lastDay } = input
  const name = input.name.trim()
  const scopes = [...new Set(input.scopes)]
  if (!managesUnit(rt.templates, actor, unit.path)) throw notAllowed('为这个单位建接口令牌')
  if (name === '' || [...name].length > MAX_NAME)
    throw new DomainError('api_token.name', `请写明令牌做什么用（${MAX_NAME} 字以内），如：团委办公系统。`)
  if (scopes.length === 0) throw new DomainError('api_token.scopes', '请至少选一项权限。')
  if (scopes.includes(FULL_ROSTER)) {
    if (!runsVeryUnit(rt.templates, actor, unit.id))
      throw new DomainError(
        'api_token.scopes',
        `完整手机号只能由${unit.name}自己的负责人授权。请去掉这一项，或请他们来建。`,
      )
    if (!scopes.includes('roster:read'))
      throw new DomainError('api_token.scopes', '选了“完整手机号”，也要选“读名册”。')
  }
  const now = rt.clock.now()
  // the day counts to its end
  const expiresAt = new Date(shanghaiMoment(lastDay).getTime() + DAY_MS)
  if (Number.isNaN(expiresAt.getTime()) || expiresAt <= now)
    throw new DomainError('api_token.until', '有效期至少要到今天，请重新选日期。')
  if (lastDay > dayOf(new Date(now.getTime() + MAX_DAYS * DAY_MS)))
    throw new DomainError('api_token.until', '有效期最长一年，请选近一些的日期；到期前可以再建一个。')

  const token = `qz_${randomBytes(32).toString('base64url')}`
  return inTransaction(rt, async tx => {
    if (await hasTokenNamed(tx.db, unit.id, name, now))
      throw new DomainError(
        'api_token.name_taken',
        `${unit.name}已经有一个叫“${name}”的令牌在用。请换个名称；丢了令牌的，先停用旧的再建。`,
      )
    const id = await insertApiToken(tx.db, {
      tokenIndex: tx.vault.index('api-token', token),
      name,
      unitId: unit.id,
      scopes,
      createdBy: actor.person.id,
      createdAt: now,
      expiresAt,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'api_token.made',
      subjectKind: 'api_token',
      subjectId: id,
      details: { name, unitId: unit.id, scopes, lastDay },
    })
    return { id, token }
  })
}
