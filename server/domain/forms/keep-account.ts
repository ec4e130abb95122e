import { lockUnitForForms } from '../../../db/queries/form-returns.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { accountById, endAccount, insertAccount } from '../../../db/queries/unit-accounts.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { normalisePhone } from '../roster/phone.ts'
import { ACCOUNT_KINDS } from './plan-fields.ts'

export interface AccountInput {
  name: string
  /** `subscription` or `service`. */
  kind: string
  managerName: string
  /** Empty: not said; of an account that is changed, as it was while the same person keeps it. */
  phone: string
  wechat: string
  qq: string
}

const MAX_TEXT = 50

/**
 * A county's 公共号 and who keeps it, for the statistics sheet (榆林团市委 2014 附件2). A change is a new row beside the old
 * one, so that the sheet of a year that is over stays as it was.
 * @param input.accountId of the account that is changed; null for another one
 * @throws DomainError `rights.missing`, `account.unit`, `account.none`, `account.kind`, `account.text`, `account.phone`,
 *   `account.wechat`, `account.qq`
 */
export function keepAccount(
  rt: DomainRuntime,
  actor: KnownActor,
  input: AccountInput & { unitId: number; accountId: number | null },
): Promise<void> {
  const written = cleaned(input)
  return inTransaction(rt, async tx => {
    await lockUnitForForms(tx.db, input.unitId)
    const unit = await unitById(tx.db, input.unitId)
    if (!unit || !managesUnit(tx.templates, actor, unit.path)) throw notAllowed('登记这个单位的公共号')
    if (unit.programme !== 'qingnong' || unit.level !== 'county')
      throw new DomainError('account.unit', '公共号由县区团委登记。')
    const now = tx.clock.now()
    const before = input.accountId === null ? null : await accountById(tx.db, input.accountId)
    if (input.accountId !== null) {
      if (before?.unitId !== unit.id)
        throw new DomainError('account.none', '这个公共号已经停用，或刚刚被别人改过，请刷新再看。')
      await endAccount(tx.db, before.id, now)
    }
    const isSame = before?.managerName === written.managerName
    const seal = (text: string, kept: string | null | undefined) =>
      text !== '' ? tx.vault.seal(text) : isSame ? (kept ?? null) : null
    await insertAccount(tx.db, {
      unitId: unit.id,
      name: written.name,
      kind: written.kind,
      managerName: written.managerName,
      phoneSealed: seal(written.phone, before?.phoneSealed),
      wechatSealed: seal(written.wechat, before?.wechatSealed),
      qqSealed: seal(written.qq, before?.qqSealed),
      writtenBy: actor.person.id,
      writtenAt: now,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'unit_account.kept',
      subjectKind: 'unit',
      subjectId: unit.id,
      details: { name: written.name, isChange: before !== null },
    })
  })
}

/** An account is no longer run. @throws DomainError `rights.missing`, `account.none` */
export function stopAccount(rt: DomainRuntime, actor: KnownActor, accountId: number): Promise<void> {
  return inTransaction(rt, async tx => {
    const account = await accountById(tx.db, accountId)
    if (!account) throw new DomainError('account.none', '这个公共号已经停用。')
    if (!managesUnit(tx.templates, actor, account.unitPath)) throw notAllowed('停用这个公共号')
    const now = tx.clock.now()
    if (!(await endAccount(tx.db, account.id, now))) return
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'unit_account.ended',
      subjectKind: 'unit',
      subjectId: account.unitId,
      details: { name: account.name },
    })
  })
}

/** @throws DomainError as `keepAccount` does */
function cleaned(input: AccountInput): AccountInput {
  const name = input.name.trim()
  const managerName = input.managerName.trim()
  if (name === '' || managerName === '')
    throw new DomainError('account.text', '请写公共号的名称和管理员姓名。')
  if ([name, managerName].some(text => [...text].length > MAX_TEXT))
    throw new DomainError('account.text', `名称和姓名请在 ${MAX_TEXT} 字以内。`)
  if (!ACCOUNT_KINDS.some(([id]) => id === input.kind))
    throw new DomainError('account.kind', '请选是订阅号还是服务号。')
  const phone = input.phone.trim()
  const mobile = normalisePhone(phone)
  if (phone !== '' && mobile === null && !/^0\d{2,3}[- ]?\d{7,8}$/.test(phone))
    throw new DomainError('account.phone', '联系电话请写 11 位手机号，或带区号的座机号。')
  const wechat = input.wechat.trim()
  if (wechat !== '' && !/^[\w-]{3,30}$/.test(wechat))
    throw new DomainError('account.wechat', '微信号只有字母、数字、下划线和减号，请核对。')
  const qq = input.qq.trim()
  if (qq !== '' && !/^[1-9]\d{4,11}$/.test(qq))
    throw new DomainError('account.qq', 'QQ 号是 5 到 12 位数字，请核对。')
  return { name, kind: input.kind, managerName, phone: mobile ?? phone, wechat, qq }
}
