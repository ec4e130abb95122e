import {
  type FormHolder,
  type FormUnit,
  formHolders,
  formUnits,
  peopleInService,
} from '../../../db/queries/form-figures.ts'
import { type UnitRow, unitsAbove } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { buildPlan, type CellToPlace, chineseDay } from './build-plan.ts'
import type { OfficialForm } from './form.ts'
import { namesAndPhones } from './people.ts'
import { standsAt } from './stands-at.ts'
import { childrenOf, inOrder, officeName, placeName } from './unit-order.ts'

const OFFICE = '项目办'
const CITY = 'city-office'
const COUNTY = 'county-office'
const BRANCH = 'volunteer-branch'
/** How many counties without a branch are named below the table. */
const NAMED = 20

/**
 * 西部计划志愿者团支部建立情况信息汇总表 (全国项目办发〔2018〕1号 附件2): every 团支部 of a province, city or county, with its
 * people in service (人数), its secretaries, and who is in charge of the county's office.
 *
 * A county without a branch keeps a row, so that it is seen. An office without its person prints a blank, one with two
 * prints both.
 */
export const branchSummaryForm: OfficialForm = {
  id: 'branch-summary',
  name: '团支部汇总表',
  programme: 'xibu',
  levels: ['province', 'city', 'county'],
  senders: ['province'],
  rhythm: 'year',
  async plan(rt, unit, period, filledBy, numbers) {
    const now = rt.clock.now()
    const at = standsAt(period, now)
    const [below, above, people, secretaries, inCharge] = await Promise.all([
      formUnits(rt.db, unit.path, [CITY, COUNTY, BRANCH]),
      unitsAbove(rt.db, unit.path),
      peopleInService(rt.db, unit.path, BRANCH, at),
      formHolders(rt.db, unit.path, { kind: BRANCH, roles: ['branch-secretary'] }, at),
      formHolders(rt.db, unit.path, { kind: COUNTY, roles: ['in-charge'] }, at),
    ])
    const cities = countiesByCity(below, above, ({ id, createdAt }) => createdAt < at.end || people.has(id))
    const counties = cities.flatMap(city => city.counties)
    const secretariesOf = byUnit(secretaries)
    const inChargeOf = byUnit(inCharge)
    const branchCells = (branch: FormUnit): (CellToPlace | string | null)[] => [
      branch.name,
      {
        value: people.get(branch.id) ?? 0,
        behind: `/console/roster?${new URLSearchParams({ unit: String(branch.id) })}`,
      },
      namesAndPhones(rt, secretariesOf(branch.id), numbers),
    ]

    const sheet = buildPlan(rt.templates.freeForm('branch-summary'))
    sheet.head({
      office: officeName(unit.name, OFFICE),
      filledOn: chineseDay(dayOf(now)),
      filledBy: filledBy.name,
      contact: filledBy.contact,
    })
    sheet.header('branches')
    for (const { city, counties } of cities) {
      let isCityNamed = false
      for (const { county, branches } of counties) {
        const down = rowsOf(branches)
        for (const [index, branch] of (branches.length > 0 ? branches : [null]).entries()) {
          const cells = branch ? branchCells(branch) : [null, null, null]
          if (index === 0) {
            cells.unshift({ value: placeName(county.name, OFFICE), down, part: 'rowHead' })
            cells.push({ value: namesAndPhones(rt, inChargeOf(county.id), numbers), down })
          }
          if (!isCityNamed)
            cells.unshift({
              value: city,
              down: counties.reduce((sum, each) => sum + rowsOf(each.branches), 0),
              part: 'rowHead',
            })
          isCityNamed = true
          sheet.row(cells)
        }
      }
    }
    if (counties.length === 0) sheet.row(Array<null>(6).fill(null))

    const branches = counties.flatMap(each => each.branches)
    const without = counties.filter(each => each.branches.length === 0)
    sheet.notes({
      counties: String(counties.length),
      branches: String(branches.length),
      people: String(branches.reduce((sum, branch) => sum + (people.get(branch.id) ?? 0), 0)),
      day: chineseDay(at.day),
      without:
        without.length === 0 ? null : someOf(without.map(({ county }) => placeName(county.name, OFFICE))),
    })
    sheet.stamp()
    return sheet.plan()
  },
}

interface CountyRows {
  county: FormUnit
  branches: FormUnit[]
}

/** The counties of each city in the order of their codes, each with the branches that there were. */
function countiesByCity(
  below: readonly FormUnit[],
  above: readonly UnitRow[],
  wasThere: (branch: FormUnit) => boolean,
): { city: string; counties: CountyRows[] }[] {
  const branchesOf = childrenOf(below.filter(each => each.kind === BRANCH && wasThere(each)))
  const countiesOf = childrenOf(below.filter(each => each.kind === COUNTY))
  // of a county's own sheet the city is above
  const cities = inOrder<FormUnit | UnitRow>(
    [...new Map([...above, ...below].map(each => [each.id, each])).values()].filter(
      each => each.kind === CITY,
    ),
  )
  return cities
    .map(city => ({
      city: placeName(city.name, OFFICE),
      counties: countiesOf(city.id).map(county => ({ county, branches: [...branchesOf(county.id)] })),
    }))
    .filter(({ counties }) => counties.length > 0)
}

/** A county without a branch has a row all the same. */
function rowsOf(branches: readonly unknown[]): number {
  return Math.max(1, branches.length)
}

function byUnit(holders: readonly FormHolder[]): (unitId: number) => FormHolder[] {
  const found = Map.groupBy(holders, holder => holder.unitId)
  return unitId => found.get(unitId) ?? []
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join('、')
  return names.length > NAMED ? `${shown}等 ${names.length} 个` : shown
}
