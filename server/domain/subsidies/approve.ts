import { identityById } from '../../../db/queries/identities.ts'
import { billCounts, insertBills } from '../../../db/queries/pay-bills.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  areSameHuman,
  changeRun,
  claim,
  itemsOf,
  lockBudget,
  lockMerchant,
  type SubsidyItemRow,
  type SubsidyRunRow,
  writeLedger,
} from '../../../db/queries/subsidies.ts'
import type { WechatPayConfig } from '../../config.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { contentHash } from './content.ts'
import { subsidyRules } from './rules.ts'
import { entryOf, requireRun, runAddress, stopsOf } from './runs.ts'
import type { ApprovedOrder } from './settle.ts'

/** Where WeChat Pay tells how a payment ended. */
export const PAY_NOTIFY_PATH = '/webhooks/wechat-pay'

/**
 * Approves a list: the second person, who is not its maker, for what they have read. From here on nothing of it can
 * change: each payment has its number and its whole order, and each cent is in the ledger.
 * @param hash the list's content as the checker has seen it (`contentHash`)
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.state`, `subsidy.checker`, `subsidy.changed`,
 *   `subsidy.preflight`, `subsidy.paid`, `subsidy.account`
 */
export function approveRun(
  rt: DomainRuntime,
  actor: KnownActor,
  { runId, hash }: { runId: number; hash: string },
  pay: WechatPayConfig | null,
): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireRun(tx, actor, runId, ['submitted'])
    if (run.madeBy === actor.person.id)
      throw new DomainError('subsidy.checker', '制单和复核不能是同一个人，请由另一位负责同志复核。')
    if (await areSameHuman(tx.db, run.madeBy, actor.person.id))
      throw new DomainError(
        'subsidy.checker',
        '制单人和您的身份证号或微信号相同，像是同一个人的两条记录，没有批准。请由另一位负责同志复核，并核对名册。',
      )
    await lockBudget(tx.db, run.unitId, run.year)
    if (run.way === 'wechat') await lockMerchant(tx.db)
    const items = await itemsOf(tx.db, run.id)
    if (run.contentHash === null || hash !== run.contentHash || contentHash(run, items) !== run.contentHash)
      throw new DomainError('subsidy.changed', '名单和提交时不一样了，没有批准。请退回制单人，重新提交。')
    const [stop] = await stopsOf(tx, run, items, pay)
    if (stop) throw new DomainError('subsidy.preflight', stop.words)
    const taken = new Set(
      await claim(
        tx.db,
        subsidyRules.kind,
        items.map(item => ({ personId: item.personId, itemId: item.id })),
      ),
    )
    if (taken.size > 0) throw alreadyPaid(items.filter(item => taken.has(item.personId)))
    if (run.way === 'bank') await promiseByBank(tx, run, items)
    else await makeBills(tx, run, items, pay as WechatPayConfig)
    const now = tx.clock.now()
    await changeRun(tx.db, run.id, { status: 'approved', checkedBy: actor.person.id, checkedAt: now })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'subsidy.approved',
      subjectKind: 'subsidy_run',
      subjectId: run.id,
      details: { people: items.length, fen: items.reduce((sum, item) => sum + item.fen, 0), way: run.way },
    })
    const next = run.way === 'bank' ? '请导出银行表发放' : '付款正在提交，到了会请本人在微信里确认收款'
    await sendToPerson(
      tx,
      run.madeBy,
      'review',
      `${actor.person.name}批准了补贴名单 ${run.id}（${items.length} 人）。${next}：${runAddress(tx, run.id)}`,
    )
  })
}

function alreadyPaid(items: readonly SubsidyItemRow[]): DomainError {
  const names = items.slice(0, 5).map(item => item.name)
  return new DomainError(
    'subsidy.paid',
    `${names.join('、')}${items.length > 5 ? `等 ${items.length} 人` : ''}已经发过，或在另一份批准的名单里，没有批准。请退回后移出名单。`,
  )
}

async function promiseByBank(
  rt: DomainRuntime,
  run: SubsidyRunRow,
  items: readonly SubsidyItemRow[],
): Promise<void> {
  const now = rt.clock.now()
  await writeLedger(
    rt.db,
    items.map(item => ({ ...entryOf(run, item, now), billId: null, kind: 'bank' as const })),
  )
}

async function makeBills(
  rt: DomainRuntime,
  run: SubsidyRunRow,
  items: readonly SubsidyItemRow[],
  pay: WechatPayConfig,
): Promise<void> {
  const now = rt.clock.now()
  const earlier = await billCounts(
    rt.db,
    items.map(item => item.personId),
  )
  const planned = []
  for (const item of items) {
    const order = await orderOf(rt, item, (earlier.get(item.personId) ?? 0) + 1, pay)
    planned.push({
      itemId: item.id,
      runId: run.id,
      number: order.number,
      fen: item.fen,
      orderSealed: rt.vault.seal(JSON.stringify(order satisfies ApprovedOrder)),
      state: 'planned',
      dueAt: now,
      createdAt: now,
      updatedAt: now,
    })
  }
  const billOf = new Map((await insertBills(rt.db, planned)).map(bill => [bill.itemId, bill.id]))
  await writeLedger(
    rt.db,
    items.map(item => ({
      ...entryOf(run, item, now),
      billId: billOf.get(item.id) as number,
      kind: 'promised' as const,
    })),
  )
}

/**
 * A payment as it is sent, now and whenever it is sent again. The number follows from the person and from how many of
 * theirs came to nothing before: a database that was restored gives the same number again, and the platform pays it once.
 */
async function orderOf(
  rt: DomainRuntime,
  item: SubsidyItemRow,
  turn: number,
  pay: WechatPayConfig,
): Promise<ApprovedOrder> {
  const identity = item.identityId === null ? null : await identityById(rt.db, item.identityId)
  if (identity?.personId !== item.personId || identity.channel !== 'official-account')
    throw new DomainError(
      'subsidy.account',
      `${item.name}绑定的公众号在制单以后变了，没有批准。请退回，重新制作名单。`,
    )
  const { remark, sceneId, perception, reports } = subsidyRules.wechat
  return {
    appId: pay.appId,
    number: `QZ${item.personId}T${turn}`,
    openId: identity.address,
    name: item.name,
    fen: item.fen,
    remark,
    notifyUrl: `${rt.publicUrl}${PAY_NOTIFY_PATH}`,
    sceneId,
    perception,
    reports,
    mchId: pay.mchId,
    needsConfirmation: pay.interface === 'bills',
  }
}
