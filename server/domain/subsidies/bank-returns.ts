import {
  claim,
  freeClaim,
  itemsOf,
  noteBankReturn,
  type SubsidyRunRow,
  writeLedger,
} from '../../../db/queries/subsidies.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { subsidyRules, yuan } from './rules.ts'
import { entryOf, note, requireReason, requireRun } from './runs.ts'

/**
 * Notes that the bank has sent a person's money back (退票): it is in the budget again, and the person, who is told, can be
 * put on a further list. The bank tells nobody but the finance office, so an officer says it.
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.state`, `subsidy.reason`
 */
export function returnedByBank(
  rt: DomainRuntime,
  actor: KnownActor,
  { runId, itemId, reason }: { runId: number; itemId: number; reason: string },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireBankRun(tx, actor, runId)
    const said = requireReason(reason, '银行为什么退回')
    const item = await noteBankReturn(tx.db, run.id, itemId, said)
    if (!item) throw await notSo(tx, run, itemId, '这一笔已经记过银行退回了。')
    await writeLedger(tx.db, [{ ...entryOf(run, item, tx.clock.now()), billId: null, kind: 'bank_returned' }])
    await freeClaim(tx.db, subsidyRules.kind, item.id)
    await note(tx, actor, 'subsidy.bank_returned', run.id, { itemId })
    await sendToPerson(
      tx,
      item.personId,
      'task',
      `学校交银行发放的${subsidyRules.wechat.remark} ${yuan(item.fen)} 被银行退回：${said}。请和学校项目办核对收款账户，核对好以后会重新发放。`,
    )
  })
}

/**
 * Takes a return by the bank back that was noted in error: the money is spent, and the person is on no further list.
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.state`, `subsidy.paid`: meanwhile another list pays them
 */
export function notReturnedByBank(
  rt: DomainRuntime,
  actor: KnownActor,
  { runId, itemId }: { runId: number; itemId: number },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireBankRun(tx, actor, runId)
    const item = await noteBankReturn(tx.db, run.id, itemId, null)
    if (!item) throw await notSo(tx, run, itemId, '这一笔没有记过银行退回。')
    const taken = await claim(tx.db, subsidyRules.kind, [{ personId: item.personId, itemId: item.id }])
    if (taken.length > 0)
      throw new DomainError('subsidy.paid', `${item.name}已经列入另一份批准的名单，不能再改回。`)
    await writeLedger(tx.db, [{ ...entryOf(run, item, tx.clock.now()), billId: null, kind: 'bank' }])
    await note(tx, actor, 'subsidy.bank_paid', run.id, { itemId })
    await sendToPerson(
      tx,
      item.personId,
      'task',
      `更正：学校交银行发放的${subsidyRules.wechat.remark} ${yuan(item.fen)} 没有被退回，不用再核对账户。`,
    )
  })
}

async function requireBankRun(rt: DomainRuntime, actor: KnownActor, runId: number): Promise<SubsidyRunRow> {
  const run = await requireRun(rt, actor, runId, ['approved'])
  if (run.way !== 'bank')
    throw new DomainError('subsidy.state', '这份名单由微信支付发放，退回的由微信支付告诉系统。')
  return run
}

/** Why nothing was noted. */
async function notSo(
  rt: DomainRuntime,
  run: SubsidyRunRow,
  itemId: number,
  words: string,
): Promise<DomainError> {
  const isOnList = (await itemsOf(rt.db, run.id)).some(item => item.id === itemId)
  return isOnList
    ? new DomainError('subsidy.state', words)
    : new DomainError('subsidy.unknown', '名单里没有这个人。')
}
