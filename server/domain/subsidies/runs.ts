import { appendAudit } from '../../../db/queries/platform.ts'
import {
  budgetOf,
  changeRun,
  doubledOnList,
  insertItems,
  insertRun,
  itemsOf,
  type LedgerKind,
  lastApprovedRun,
  leaveItemOut,
  ledgerSums,
  lockBudget,
  lockRun,
  promisedBetween,
  runById,
  type SubsidyItemRow,
  type SubsidyRunRow,
  setBudget,
  universityNames,
  volunteersOf,
} from '../../../db/queries/subsidies.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { dayOf, shanghaiMoment } from '../../clock.ts'
import type { WechatPayConfig } from '../../config.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, runsVeryUnit } from '../actor.ts'
import { universityKey } from '../groups/facts.ts'
import { sendToPerson, sendToPersons } from '../outgoing/enqueue.ts'
import { contentHash } from './content.ts'
import { officersOf } from './officers.ts'
import { type NotOwedReason, notOwedWords, type Owed, whoIsOwed } from './owed.ts'
import { type PreflightStop, preflight } from './preflight.ts'
import { subsidyFen, subsidyRules, yuan } from './rules.ts'

const DAY_MS = 24 * 3600_000
const MOST_REASON = 200

/** Who is owed the subsidy by a university today, and why the others of its volunteers are not. */
export async function owedBy(
  rt: DomainRuntime,
  unit: UnitRow,
): Promise<{ owed: Owed[]; not: { personId: number; name: string; reason: NotOwedReason }[] }> {
  const home = unit.parentId === null ? null : await unitById(rt.db, unit.parentId)
  const own = universityKey(unit.name)
  const names = (await universityNames(rt.db, subsidyRules.programme)).filter(
    name => universityKey(name) === own,
  )
  const rows = await volunteersOf(rt.db, {
    programme: subsidyRules.programme,
    role: subsidyRules.owed.role,
    universities: names,
    homePath: home?.path ?? unit.path,
    claimKind: subsidyRules.kind,
    channel: 'official-account',
  })
  return whoIsOwed(rows, dayOf(rt.clock.now()))
}

/**
 * Makes a list of everybody who is owed.
 * @throws DomainError `subsidy.unit`, `rights.missing`, `subsidy.none`
 */
export function makeRun(
  rt: DomainRuntime,
  actor: KnownActor,
  { unitId, way }: { unitId: number; way: 'wechat' | 'bank' },
): Promise<number> {
  return inTransaction(rt, async tx => {
    const unit = await universityOf(tx, actor, unitId)
    const now = tx.clock.now()
    const { owed } = await owedBy(tx, unit)
    if (owed.length === 0) throw new DomainError('subsidy.none', '现在没有该发而没有发过补贴的人。')
    const runId = await insertRun(tx.db, {
      unitId,
      year: Number(dayOf(now).slice(0, 4)),
      way,
      status: 'draft',
      madeBy: actor.person.id,
      madeAt: now,
    })
    await insertItems(
      tx.db,
      owed.map(each => ({ ...each, runId, fen: subsidyFen(tx.templates, each.isOutOfProvince) })),
    )
    await note(tx, actor, 'subsidy.made', runId, { people: owed.length, way })
    return runId
  })
}

/**
 * Takes somebody off a list that is being made, or puts them back (reason null).
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.state`, `subsidy.reason`
 */
export function leaveOut(
  rt: DomainRuntime,
  actor: KnownActor,
  { runId, itemId, reason }: { runId: number; itemId: number; reason: string | null },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireRun(tx, actor, runId, ['draft', 'returned'])
    const said = reason === null ? null : requireReason(reason, '为什么移出名单')
    if (!(await leaveItemOut(tx.db, run.id, itemId, said)))
      throw new DomainError('subsidy.unknown', '名单里没有这个人。')
    await note(tx, actor, reason === null ? 'subsidy.put_back' : 'subsidy.left_out', run.id, { itemId })
  })
}

/**
 * Submits a list for another to check. Who made it answers for it: nobody else submits it.
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.state`, `subsidy.maker`, `subsidy.preflight`
 */
export function submitRun(
  rt: DomainRuntime,
  actor: KnownActor,
  runId: number,
  pay: MerchantRule | null,
): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireRun(tx, actor, runId, ['draft', 'returned'])
    if (run.madeBy !== actor.person.id)
      throw new DomainError('subsidy.maker', '名单由制单人提交，您可以另做一份。')
    const items = await itemsOf(tx.db, run.id)
    const [stop] = await stopsOf(tx, run, items, pay)
    if (stop) throw new DomainError('subsidy.preflight', stop.words)
    await changeRun(tx.db, run.id, {
      status: 'submitted',
      submittedAt: tx.clock.now(),
      contentHash: contentHash(run, items),
      reason: null,
    })
    await note(tx, actor, 'subsidy.submitted', run.id, { people: items.length })
    await tellCheckers(tx, actor, run, items)
  })
}

/** Gives a submitted list back to its maker, with the reason. @throws DomainError as `submitRun`, `subsidy.reason` */
export function returnRun(
  rt: DomainRuntime,
  actor: KnownActor,
  { runId, reason }: { runId: number; reason: string },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireRun(tx, actor, runId, ['submitted'])
    const said = requireReason(reason, '退回的原因')
    await changeRun(tx.db, run.id, { status: 'returned', contentHash: null, reason: said })
    await note(tx, actor, 'subsidy.returned', run.id, {})
    if (run.madeBy !== actor.person.id)
      await sendToPerson(
        tx,
        run.madeBy,
        'review',
        `${actor.person.name}退回了补贴名单 ${run.id}：${said}\n请改好再提交：${runAddress(tx, run.id)}`,
      )
  })
}

/**
 * Changes by which way a list is paid, while its maker still works on it: what is too large for WeChat Pay goes to the bank.
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.state`
 */
export function changeWay(
  rt: DomainRuntime,
  actor: KnownActor,
  { runId, way }: { runId: number; way: 'wechat' | 'bank' },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireRun(tx, actor, runId, ['draft', 'returned'])
    await changeRun(tx.db, run.id, { way })
    await note(tx, actor, 'subsidy.way_changed', run.id, { way })
  })
}

/** Gives up a list that is not approved. @throws DomainError as `submitRun` */
export function withdrawRun(rt: DomainRuntime, actor: KnownActor, runId: number): Promise<void> {
  return inTransaction(rt, async tx => {
    const run = await requireRun(tx, actor, runId, ['draft', 'submitted', 'returned'])
    await changeRun(tx.db, run.id, { status: 'withdrawn', contentHash: null })
    await note(tx, actor, 'subsidy.withdrawn', run.id, {})
  })
}

/** Sets a year's budget. @param fen a whole number of fen @throws DomainError `subsidy.unit`, `rights.missing`, `subsidy.budget` */
export function setYearBudget(
  rt: DomainRuntime,
  actor: KnownActor,
  { unitId, year, fen }: { unitId: number; year: number; fen: number },
): Promise<void> {
  return inTransaction(rt, async tx => {
    const unit = await universityOf(tx, actor, unitId)
    // no list is approved between the look at what is spent and the new budget
    await lockBudget(tx.db, unit.id, year)
    if (!Number.isSafeInteger(fen) || fen < 0 || fen > 100_000_000_000)
      throw new DomainError('subsidy.budget', '预算要写成不小于 0 的金额，单位元，最多两位小数。')
    const spent = await spentOf(tx, unit.id, year)
    if (fen < spent) throw new DomainError('subsidy.budget', '预算不能少于今年已经批准的金额。')
    await setBudget(tx.db, { unitId, year, fen, setBy: actor.person.id, at: tx.clock.now() })
    await note(tx, actor, 'subsidy.budget_set', unit.id, { year, fen }, 'unit')
  })
}

/** What a year's approved lists have promised and not set free, in fen. */
export async function spentOf(rt: DomainRuntime, unitId: number, year: number): Promise<number> {
  const sums = await ledgerSums(rt.db, { unitId, year })
  return promisedFen(sums)
}

/** What an entry of the ledger says of a person on a list. */
export function entryOf(run: SubsidyRunRow, item: SubsidyItemRow, at: Date) {
  return { at, unitId: run.unitId, year: run.year, runId: run.id, itemId: item.id, fen: item.fen }
}

/** What is promised and has not come back, of the sums of a ledger, in fen. */
export function promisedFen(sums: Readonly<Record<LedgerKind, number>>): number {
  return sums.promised - sums.freed + sums.bank - sums.bank_returned
}

/** Of the merchant what decides whether a list may be paid with it. */
export type MerchantRule = Pick<WechatPayConfig, 'limits' | 'unitCodes'>

/** Whether a university may pay by WeChat: money is the merchant's, and a merchant is one university's. */
export function hasMerchant(pay: MerchantRule | null, unit: { code: string }): pay is MerchantRule {
  return pay?.unitCodes.includes(unit.code) ?? false
}

/** What stands in the way of a list now. */
export async function stopsOf(
  rt: DomainRuntime,
  run: SubsidyRunRow,
  items: readonly SubsidyItemRow[],
  pay: MerchantRule | null,
): Promise<PreflightStop[]> {
  const unit = await unitById(rt.db, run.unitId)
  const budget = await budgetOf(rt.db, run.unitId, run.year)
  const doubled = await doubledOnList(rt.db, run.id, subsidyRules.kind)
  const from = shanghaiMoment(dayOf(rt.clock.now()))
  return preflight({
    way: run.way === 'bank' ? 'bank' : 'wechat',
    items,
    outdated: await outdatedOn(rt, run, items),
    doubled: doubled.map(each => `${each.name}和${each.other}`),
    budgetLeft: budget === null ? null : budget - (await spentOf(rt, run.unitId, run.year)),
    limits: unit && hasMerchant(pay, unit) ? pay.limits : null,
    promisedToday: await promisedBetween(rt.db, from, new Date(from.getTime() + DAY_MS)),
  })
}

/** What the roster says otherwise of those on a list now than when it was made: somebody left, or serves elsewhere. */
async function outdatedOn(
  rt: DomainRuntime,
  run: SubsidyRunRow,
  items: readonly SubsidyItemRow[],
): Promise<string[]> {
  const unit = await unitById(rt.db, run.unitId)
  if (!unit) return []
  const { owed, not } = await owedBy(rt, unit)
  const now = new Map(owed.map(each => [each.personId, each]))
  const reasons = new Map(not.map(each => [each.personId, notOwedWords[each.reason]]))
  return items.flatMap(item => {
    const each = now.get(item.personId)
    if (!each) return [`${item.name}（${reasons.get(item.personId) ?? '名册里没有了'}）`]
    const isSame =
      each.name === item.name &&
      subsidyFen(rt.templates, each.isOutOfProvince) === item.fen &&
      (run.way === 'bank' || each.identityId === item.identityId)
    return isSame ? [] : [`${item.name}（姓名、金额或公众号和名册不一样了）`]
  })
}

export interface ListChanges {
  /** The list that was approved before; null: this is the first. */
  since: SubsidyRunRow | null
  joined: string[]
  /** Were on the list before, and are not now. */
  gone: string[]
}

/** What has changed since the list that was approved before. */
export async function changesSince(rt: DomainRuntime, run: SubsidyRunRow): Promise<ListChanges> {
  const since = await lastApprovedRun(rt.db, run.unitId, run)
  const items = await itemsOf(rt.db, run.id)
  if (!since) return { since, joined: items.map(item => item.name), gone: [] }
  const before = await itemsOf(rt.db, since.id)
  const had = new Set(before.map(item => item.personId))
  const has = new Set(items.map(item => item.personId))
  return {
    since,
    joined: items.filter(item => !had.has(item.personId)).map(item => item.name),
    gone: before.filter(item => !has.has(item.personId)).map(item => item.name),
  }
}

/** The university office that the actor runs. @throws DomainError `subsidy.unit`, `rights.missing` */
export async function universityOf(rt: DomainRuntime, actor: KnownActor, unitId: number): Promise<UnitRow> {
  const unit = await unitById(rt.db, unitId)
  if (!unit || unit.programme !== subsidyRules.programme || unit.kind !== subsidyRules.unitKind)
    throw new DomainError('subsidy.unit', '一次性生活补贴由高校的校项目办发放。')
  // money is the office's own: those above it look after other things
  if (!runsVeryUnit(rt.templates, actor, unit.id)) throw notAllowed(`办理${unit.name}的补贴`)
  return unit
}

/** A list that the actor may work on, held until the transaction ends. */
export async function requireRun(
  rt: DomainRuntime,
  actor: KnownActor,
  runId: number,
  statuses: readonly string[],
): Promise<SubsidyRunRow> {
  const run = await lockRun(rt.db, runId)
  if (!run) throw new DomainError('subsidy.unknown', '没有这份名单。')
  await universityOf(rt, actor, run.unitId)
  if (!statuses.includes(run.status))
    throw new DomainError('subsidy.state', `这份名单${runWords[run.status] ?? run.status}，不能再这样办。`)
  return run
}

/** A list for reading. @throws DomainError `subsidy.unknown`, `rights.missing` */
export async function readRun(rt: DomainRuntime, actor: KnownActor, runId: number): Promise<SubsidyRunRow> {
  const run = await runById(rt.db, runId)
  if (!run) throw new DomainError('subsidy.unknown', '没有这份名单。')
  await universityOf(rt, actor, run.unitId)
  return run
}

/** Where a list is read and worked on. */
export function runAddress(rt: Pick<DomainRuntime, 'publicUrl'>, runId: number): string {
  return `${rt.publicUrl}/console/subsidies/${runId}`
}

/** Whoever else runs the office can be the second person. */
async function tellCheckers(
  rt: DomainRuntime,
  actor: KnownActor,
  run: SubsidyRunRow,
  items: readonly SubsidyItemRow[],
): Promise<void> {
  const total = items.reduce((sum, item) => sum + item.fen, 0)
  const text = `${actor.person.name}提交了补贴名单 ${run.id}：${items.length} 人，共 ${yuan(total)}，请复核（制单和复核不能是同一个人）：${runAddress(rt, run.id)}`
  const others = (await officersOf(rt, run.unitId)).filter(personId => personId !== actor.person.id)
  await sendToPersons(
    rt,
    others.map(personId => ({ personId, text })),
    'review',
  )
}

export const runWords: Readonly<Record<string, string>> = {
  draft: '正在制作',
  submitted: '等待复核',
  approved: '已经批准',
  returned: '已退回',
  withdrawn: '已作废',
}

/** A reason without the space around it. @param what is to be said, as words @throws DomainError `subsidy.reason` */
export function requireReason(reason: string, what: string): string {
  if (reason.trim() === '' || reason.length > MOST_REASON)
    throw new DomainError('subsidy.reason', `请写明${what}（${MOST_REASON} 字以内）。`)
  return reason.trim()
}

/** Writes into the audit log what was done to a list, or to a university's budget. */
export function note(
  rt: DomainRuntime,
  actor: KnownActor,
  action: string,
  subjectId: number,
  details: Record<string, unknown>,
  subjectKind = 'subsidy_run',
): Promise<void> {
  return appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action,
    subjectKind,
    subjectId,
    details,
  })
}
