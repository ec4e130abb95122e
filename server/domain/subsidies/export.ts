import { billsOfRun } from '../../../db/queries/pay-bills.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  bankNumbersOf,
  itemsOf,
  type LedgerKind,
  ledgerOf,
  namesOfPersons,
  type SubsidyRunRow,
} from '../../../db/queries/subsidies.ts'
import { unitById } from '../../../db/queries/units.ts'
import { dayOf, timeOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { StreamedSheet } from '../reports/stream-workbook.ts'
import { type BillState, stateWords } from './bill-state.ts'
import { failWords } from './fail-words.ts'
import { readRun, runWords } from './runs.ts'

type Cell = string | number | null
export interface Workbook {
  name: string
  sheets: StreamedSheet[]
}

/** Yuan with two decimals, as a number. */
const MONEY = '#,##0.00'

export const ledgerWords: Readonly<Record<LedgerKind, string>> = {
  promised: '批准（微信）',
  paid: '到账',
  freed: '未付成，退回预算',
  bank: '交银行发放',
  bank_returned: '银行退回，退回预算',
}

const placeWords = (isOutOfProvince: boolean) => (isOutOfProvince ? '省外' : '省内')

/**
 * A list with the state of each payment and its ledger, for the finance office (财务), with the places to sign.
 * @throws DomainError `subsidy.unknown`, `rights.missing`
 */
export function exportRun(rt: DomainRuntime, actor: KnownActor, runId: number): Promise<Workbook> {
  return inTransaction(rt, async tx => {
    const run = await readRun(tx, actor, runId)
    const items = await itemsOf(tx.db, run.id, true)
    const bills = new Map((await billsOfRun(tx.db, run.id)).map(({ bill }) => [bill.itemId, bill]))
    const rows = items.map((item, at): Cell[] => {
      const bill = bills.get(item.id)
      const state =
        item.leftOutReason !== null
          ? '不发'
          : bill
            ? stateWords[bill.state as BillState]
            : run.status === 'approved'
              ? item.bankReturnReason !== null
                ? '银行退回'
                : '交银行发放'
              : (runWords[run.status] ?? run.status)
      const note =
        item.leftOutReason ?? item.bankReturnReason ?? (bill?.failReason ? failWords(bill.failReason) : '')
      return [
        at + 1,
        item.name,
        item.place,
        placeWords(item.isOutOfProvince),
        item.startsOn,
        item.leftOutReason === null ? item.fen / 100 : 0,
        state,
        bill?.number ?? '',
        bill?.platformNumber ?? '',
        note,
      ]
    })
    const total = sumOf(items.filter(item => item.leftOutReason === null))
    const signed = await signatures(tx, run)
    await noteExport(tx, actor, run, 'finance', items.length)
    return {
      name: `${await titleOf(tx, run)}.xlsx`,
      sheets: [
        {
          name: '名单',
          heads: [
            '序号',
            '姓名',
            '服务地',
            '省内外',
            '服务开始',
            '金额（元）',
            '状态',
            '商户单号',
            '微信单号',
            '说明',
          ],
          widths: [6, 12, 28, 8, 12, 14, 16, 18, 24, 36],
          formats: { 5: MONEY },
          rows: [[...rows, ['', '合计', '', '', '', total / 100, '', '', '', ''], ...signed]],
        },
        {
          name: '分账',
          heads: ['时间', '姓名', '事项', '金额（元）', '商户单号'],
          widths: [20, 12, 20, 14, 18],
          formats: { 3: MONEY },
          rows: [
            (await ledgerOf(tx.db, run.id)).map(entry => [
              `${dayOf(entry.at)} ${timeOf(entry.at)}`,
              entry.name,
              ledgerWords[entry.kind as LedgerKind],
              entry.fen / 100,
              entry.number ?? '',
            ]),
          ],
        },
      ],
    }
  })
}

/**
 * An approved list for the bank, with the numbers by which it knows people, whole: that is written down.
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.bank`: WeChat pays it, or nobody has approved it
 */
export function exportForBank(rt: DomainRuntime, actor: KnownActor, runId: number): Promise<Workbook> {
  return inTransaction(rt, async tx => {
    const run = await readRun(tx, actor, runId)
    if (run.way !== 'bank')
      throw new DomainError(
        'subsidy.bank',
        '这份名单由微信支付发放，再交银行会重复发。要交银行的，请在批准之前改由银行发放。',
      )
    if (run.status !== 'approved') throw new DomainError('subsidy.bank', '名单批准以后才能导出银行发放表。')
    const items = await itemsOf(tx.db, run.id)
    const numbers = await bankNumbersOf(tx.db, run.id)
    const open = (sealed: string | null | undefined) => (sealed ? tx.vault.open(sealed) : '')
    const signed = await signatures(tx, run)
    await noteExport(tx, actor, run, 'bank', items.length)
    return {
      name: `${await titleOf(tx, run)}银行发放表.xlsx`,
      sheets: [
        {
          name: '银行发放表',
          heads: ['序号', '姓名', '身份证号', '手机号', '金额（元）', '银行账号', '备注'],
          widths: [6, 12, 22, 16, 14, 26, 24],
          formats: { 4: MONEY },
          rows: [
            [
              ...items.map((item, at): Cell[] => {
                const known = numbers.get(item.personId)
                return [
                  at + 1,
                  item.name,
                  open(known?.idNumberSealed),
                  open(known?.phoneSealed),
                  item.fen / 100,
                  '',
                  placeWords(item.isOutOfProvince),
                ]
              }),
              ['', '合计', '', '', sumOf(items) / 100, '', ''],
              ...signed,
            ],
          ],
        },
      ],
    }
  })
}

const sumOf = (items: readonly { fen: number }[]) => items.reduce((sum, item) => sum + item.fen, 0)

async function titleOf(rt: DomainRuntime, run: SubsidyRunRow): Promise<string> {
  const unit = await unitById(rt.db, run.unitId)
  return `${unit?.name ?? ''}一次性生活补贴${run.year}年名单${run.id}`
}

/** Who made and who checked it, with room for their hands. */
async function signatures(rt: DomainRuntime, run: SubsidyRunRow): Promise<Cell[][]> {
  const names = await namesOfPersons(rt.db, [run.madeBy, run.checkedBy])
  const day = (at: Date | null) => (at ? dayOf(at) : '')
  const checker = run.checkedBy === null ? '' : (names.get(run.checkedBy) ?? '')
  return [
    [],
    ['', '制单人', names.get(run.madeBy) ?? '', '', day(run.submittedAt ?? run.madeAt), '', '签字：'],
    ['', '复核人', checker, '', day(run.checkedAt), '', '签字：'],
  ]
}

function noteExport(
  rt: DomainRuntime,
  actor: KnownActor,
  run: SubsidyRunRow,
  kind: 'finance' | 'bank',
  people: number,
): Promise<void> {
  return appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'subsidy.exported',
    subjectKind: 'subsidy_run',
    subjectId: run.id,
    details: { kind, people },
  })
}
