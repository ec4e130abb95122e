import { accountsUnder, type UnitAccountRow } from '../../../db/queries/unit-accounts.ts'
import { dayOf, shanghaiMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskPhone } from '../roster/phone.ts'
import { maskMiddle } from '../roster/text.ts'
import { accountNaming, obeysNaming } from './account-name.ts'
import { buildPlan, chineseDay } from './build-plan.ts'
import type { Numbers, OfficialForm } from './form.ts'

/** 微信体系建设情况统计表 (榆林团市委 2014 附件2): the 公共号 of a city's counties, or of one county, and who keeps each. */
export const accountSheetForm: OfficialForm = {
  id: 'account-sheet',
  name: '公共号统计表',
  programme: 'qingnong',
  levels: ['city', 'county'],
  rhythm: 'year',
  async plan(rt, unit, year, filledBy, numbers) {
    const now = rt.clock.now()
    const yearEnd = shanghaiMoment(`${Number(year) + 1}-01-01`)
    // a sheet of the running year says what is so now
    const at = yearEnd < now ? yearEnd : new Date(now.getTime() + 1)
    const rows = await accountsUnder(rt.db, { path: unit.path, level: 'county' }, at)
    const sheet = buildPlan(rt.templates.freeForm('account-sheet'))
    sheet.head({
      unitName: unit.name,
      filledOn: chineseDay(dayOf(now)),
      filledBy: filledBy.name,
      contact: filledBy.contact,
    })
    sheet.header('accounts')
    const accountsOf = new Map<number, number>()
    for (const row of rows) accountsOf.set(row.unitId, (accountsOf.get(row.unitId) ?? 0) + 1)
    rows.forEach(({ unitId, unitName, account }, at) => {
      const own = account ? cellsOf(rt, account, numbers) : [null, null, null, null, null]
      const isFirst = rows[at - 1]?.unitId !== unitId
      const name = { value: unitName, down: accountsOf.get(unitId) ?? 1, part: 'rowHead' as const }
      sheet.row(isFirst ? [name, ...own] : own)
    })
    const missing = rows.filter(row => row.account === null).length
    const bad = rows
      .flatMap(row => row.account?.name ?? [])
      .filter(name => !obeysNaming(rt.templates, unit.programme, name))
    sheet.notes({
      missing: missing === 0 ? null : String(missing),
      badNames: bad.length === 0 ? null : bad.join('、'),
      example: accountNaming(rt.templates, unit.programme)?.example ?? null,
    })
    sheet.stamp()
    return sheet.plan()
  },
  fillIn: unit => ({ path: `/console/accounts?unit=${unit.id}`, words: '登记公共号' }),
}

/** Name, who keeps it, and their numbers. */
function cellsOf(rt: DomainRuntime, account: UnitAccountRow, numbers: Numbers): (string | null)[] {
  const { phone, wechat, qq } = accountNumbers(rt, account, numbers)
  return [account.name, account.managerName, phone, wechat, qq]
}

/** The numbers of who keeps an account, whole or masked; null: not said. */
export function accountNumbers(
  rt: DomainRuntime,
  account: Pick<UnitAccountRow, 'phoneSealed' | 'wechatSealed' | 'qqSealed'>,
  numbers: Numbers,
): { phone: string | null; wechat: string | null; qq: string | null } {
  const open = (sealed: string | null, mask: (text: string) => string) => {
    if (sealed === null) return null
    const text = rt.vault.open(sealed)
    return numbers === 'whole' ? text : mask(text)
  }
  return {
    phone: open(account.phoneSealed, maskPhone),
    wechat: open(account.wechatSealed, text => maskMiddle(text, 2, 1)),
    qq: open(account.qqSealed, text => maskMiddle(text, 2, 2)),
  }
}
