import {
  type FormUnit,
  formUnits,
  type GroupsUnderHead,
  type Head,
  type MissingGroups,
  matrixUnderHeads,
  missingForCategories,
  namesOfSingleGroups,
  type RequiredGroup,
  type StandsAt,
  type UnitsUnderHead,
  unitCounts,
  unitsWithTooFew,
} from '../../../db/queries/form-figures.ts'
import { type UnitRow, unitsAbove } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { GroupKind, Programme } from '../../templates.ts'
import { categoryNames } from '../groups/entitlement.ts'
import { groupDuties } from '../groups/facts.ts'
import { standsAt } from './stands-at.ts'
import { inOrder } from './unit-order.ts'

/** The matrix below a unit as it is drawn: bands of boxes from the top downwards. */
export interface Diagram {
  title: string
  unitName: string
  /** The units above, from the top. */
  above: readonly string[]
  /** `YYYY-MM-DD`: what it shows stood at the end of this day. */
  day: string
  bands: readonly DiagramBand[]
}

/** One level of the matrix. */
export interface DiagramBand {
  name: string
  boxes: readonly DiagramBox[]
}

/** One unit, or many of a level below one that is drawn by itself. */
export interface DiagramBox {
  id: string
  /** Of the box that it hangs from; null for the top. */
  parentId: string | null
  /** The unit's name, or how many there are of which kind. */
  title: string
  unitId: number | null
  units: number
  kinds: readonly DiagramGroups[]
}

/** The groups of one kind in a box. */
export interface DiagramGroups {
  kindName: string
  isRequired: boolean
  /** Of the one group that there is of a unit drawn by itself. */
  name: string | null
  groups: number
  people: number
  /** Units without a group that they are to have, the first of them by name. */
  missing: number
  missingNames: readonly string[]
  /** So many groups each unit is to have with all below it; null: one of its own. */
  atLeastUnder: number | null
}

/** The form's id and its layout's: each programme prints it under a title of its own. */
export function diagramFormId(programme: string): string {
  return programme === 'xibu' ? 'matrix-diagram' : `matrix-diagram-${programme}`
}

/** How many boxes of a level are drawn one by one; more are drawn as one with their number. */
export const MOST_BOXES = { desk: 5, phone: 2 } as const
export type DiagramSize = keyof typeof MOST_BOXES

/**
 * The matrix diagram (框架图: 全国项目办发〔2018〕1号 附件1, 中少办发〔2017〕4号 附件1) of a unit and all below it, from the data.
 *
 * A level with few units is drawn unit by unit, and so is every level above it; from the first level with more on, what
 * lies below each drawn unit is one box with its numbers. A group that a notice requires of every unit and that is not
 * there is missing; 研究生支教团联络群 is asked of counties that have such members only.
 * @param period as in `standsAt`
 */
export async function collectDiagram(
  rt: DomainRuntime,
  unit: UnitRow,
  period: string,
  size: DiagramSize,
): Promise<Diagram> {
  const programme = rt.templates.programme(unit.programme)
  const at = standsAt(period, rt.clock.now())
  const kinds = [...new Set(programme.groupKinds.flatMap(kind => kind.unitKinds))]
  const [above, counts] = await Promise.all([
    unitsAbove(rt.db, unit.path),
    unitCounts(rt.db, unit.path, kinds, at),
  ])
  const levels = programme.levels.filter(
    level => level.id === unit.level || counts.some(each => each.level === level.id),
  )
  const unitsIn = (level: string) =>
    counts.filter(each => each.level === level).reduce((sum, each) => sum + each.units, 0)
  const firstMany = levels.findIndex(level => level.id !== unit.level && unitsIn(level.id) > MOST_BOXES[size])
  const single = firstMany === -1 ? levels : levels.slice(0, firstMany)
  const drawn = inOrder([
    unit,
    ...(
      await formUnits(
        rt.db,
        unit.path,
        kinds,
        single.map(level => level.id),
      )
    ).filter(each => each.id !== unit.id && each.createdAt < at.end),
  ])
  const required = requiredGroups(programme, kinds)
  const [matrix, names, special] = await Promise.all([
    matrixUnderHeads(rt.db, unit.path, { heads: drawn, kinds, required: required.filter(isPlain) }, at),
    namesOfSingleGroups(
      rt.db,
      drawn.map(each => each.id),
      at,
    ),
    Promise.all(required.filter(rule => !isPlain(rule)).map(rule => missingOf(rt, unit, drawn, rule, at))),
  ])
  const facts: Facts = {
    programme,
    ...matrix,
    missing: [...matrix.missing, ...special.flat()],
    names,
    required,
  }

  const isDrawn = new Set(drawn.map(each => each.id))
  const bands = levels.map(level => {
    const unitKinds = programme.unitKinds.filter(kind => kind.level === level.id && kinds.includes(kind.id))
    const alone = drawn.filter(each => each.level === level.id)
    const many = drawn.flatMap(head => {
      const under = facts.units.filter(
        each =>
          each.headId === head.id &&
          each.unitKind !== head.kind &&
          unitKinds.some(kind => kind.id === each.unitKind),
      )
      return under.length === 0 ? [] : [boxOfMany(facts, head, level.id, under)]
    })
    return { name: level.name, boxes: [...alone.map(each => boxOfOne(facts, each, unit, isDrawn)), ...many] }
  })
  return {
    title: rt.templates.freeForm(diagramFormId(unit.programme)).title,
    unitName: unit.name,
    above: above.filter(each => each.id !== unit.id).map(each => each.name),
    day: at.day,
    bands: inPlace(hangMany(bands)),
  }
}

interface Facts {
  programme: Programme
  groups: readonly GroupsUnderHead[]
  units: readonly UnitsUnderHead[]
  missing: readonly MissingGroups[]
  names: readonly { unitId: number; kind: string; name: string }[]
  required: readonly Rule[]
}

/** What the notices want of every unit of a kind; without more: a group of its own. */
interface Rule extends RequiredGroup {
  /** Only where units of a kind below have people of these categories (by name) in service. */
  only?: { below: string; categories: readonly string[] }
  /** So many groups with all units below, instead of one of its own. */
  atLeast?: number
}

/** As the nightly reconcile asks for it (`group_missing`, `too_few_groups`). */
function requiredGroups(programme: Programme, unitKinds: readonly string[]): Rule[] {
  return programme.groupKinds
    .filter(kind => kind.obligation === 'required')
    .flatMap(kind =>
      kind.unitKinds
        .filter(unitKind => unitKinds.includes(unitKind))
        .map(unitKind => ({
          unitKind,
          groupKind: kind.id,
          ...onlyWhere(programme, kind),
          ...atLeastUnder(programme, kind.id, unitKind),
        })),
    )
}

/** A kind that is for people of a category (研究生支教团) is asked where there are some below. */
function onlyWhere(programme: Programme, kind: GroupKind): Pick<Rule, 'only'> {
  const rule = kind.members.find(each => each.categories)
  const [below] = rule?.unitKinds ?? []
  if (!rule?.categories || below === undefined) return {}
  return { only: { below, categories: [...categoryNames(programme, rule.categories)] } }
}

function atLeastUnder(programme: Programme, kindId: string, unitKind: string): Pick<Rule, 'atLeast'> {
  const duty = programme.duties.find(
    each => groupDuties[each.id] === kindId && (each.unitKinds ?? []).includes(unitKind),
  )
  return typeof duty?.value === 'number' ? { atLeast: duty.value } : {}
}

function isPlain(rule: Rule): boolean {
  return rule.only === undefined && rule.atLeast === undefined
}

function missingOf(
  rt: DomainRuntime,
  { path }: UnitRow,
  heads: readonly Head[],
  { unitKind, groupKind, only, atLeast }: Rule,
  at: StandsAt,
): Promise<MissingGroups[]> {
  if (atLeast !== undefined) return unitsWithTooFew(rt.db, path, heads, { unitKind, groupKind, atLeast }, at)
  if (only) return missingForCategories(rt.db, path, heads, { unitKind, groupKind, ...only }, at)
  return Promise.resolve([])
}

function boxOfOne(
  facts: Facts,
  unit: FormUnit | UnitRow,
  top: UnitRow,
  isDrawn: ReadonlySet<number>,
): DiagramBox {
  const parent = unit.path
    .split('/')
    .filter(Boolean)
    .map(Number)
    .slice(0, -1)
    .findLast(id => isDrawn.has(id))
  return {
    id: String(unit.id),
    parentId: unit.id === top.id || parent === undefined ? null : String(parent),
    title: unit.name,
    unitId: unit.id,
    units: 1,
    kinds: groupsIn(
      facts,
      unit.id,
      [unit.kind],
      kind => facts.names.find(each => each.unitId === unit.id && each.kind === kind)?.name ?? null,
    ),
  }
}

function boxOfMany(
  facts: Facts,
  head: FormUnit | UnitRow,
  level: string,
  under: readonly UnitsUnderHead[],
): DiagramBox {
  const kinds = facts.programme.unitKinds.filter(kind => under.some(each => each.unitKind === kind.id))
  const unitsOf = (kind: string) => under.find(each => each.unitKind === kind)?.units ?? 0
  const units = under.reduce((sum, each) => sum + each.units, 0)
  return {
    id: `${head.id} ${level}`,
    parentId: String(head.id),
    title:
      units === 1
        ? (under[0]?.name ?? '')
        : kinds.map(kind => `${unitsOf(kind.id)} 个${kind.name}`).join('、'),
    unitId: null,
    units,
    kinds: groupsIn(
      facts,
      head.id,
      kinds.map(kind => kind.id),
      () => null,
    ),
  }
}

/** The kinds of groups in a box, in the order of the programme: those that are there, and those that are missing. */
function groupsIn(
  { programme, groups, missing, required }: Facts,
  headId: number,
  unitKinds: readonly string[],
  nameOf: (kind: string) => string | null,
): DiagramGroups[] {
  // a head and those below it are told apart by their kinds
  const inBox = <Each extends { headId: number; unitKind: string }>(all: readonly Each[]) =>
    all.filter(each => each.headId === headId && unitKinds.includes(each.unitKind))
  return programme.groupKinds.flatMap(kind => {
    const found = inBox(groups).filter(each => each.groupKind === kind.id)
    const lacking = inBox(missing).filter(each => each.groupKind === kind.id)
    if (found.length === 0 && lacking.length === 0) return []
    const rules = required.filter(each => each.groupKind === kind.id && unitKinds.includes(each.unitKind))
    return [
      {
        kindName: kind.name,
        isRequired: kind.obligation === 'required',
        name: nameOf(kind.id),
        groups: sumOf(found, each => each.groups),
        people: sumOf(found, each => each.people),
        missing: sumOf(lacking, each => each.units),
        missingNames: lacking.flatMap(each => each.names),
        atLeastUnder: rules.find(each => each.atLeast !== undefined)?.atLeast ?? null,
      },
    ]
  })
}

function sumOf<Each>(all: readonly Each[], of: (each: Each) => number): number {
  return all.reduce((sum, each) => sum + of(each), 0)
}

/** Boxes of many hang from the box of many above them, where there is one below the same unit. */
function hangMany(bands: readonly DiagramBand[]): DiagramBand[] {
  const last = new Map<string, string>()
  return bands.map(({ name, boxes }) => {
    const hung = boxes.map(box =>
      box.unitId === null && box.parentId !== null
        ? { ...box, parentId: last.get(box.parentId) ?? box.parentId }
        : box,
    )
    for (const box of boxes) if (box.unitId === null && box.parentId !== null) last.set(box.parentId, box.id)
    return { name, boxes: hung }
  })
}

/** The boxes of each level in the order of those that they hang from, so that no line crosses another. */
function inPlace(bands: readonly DiagramBand[]): DiagramBand[] {
  const place = new Map<string, number>()
  return bands.map(({ name, boxes }) => {
    const of = ({ parentId }: DiagramBox) => (parentId === null ? -1 : (place.get(parentId) ?? -1))
    const sorted = [...boxes].sort((a, b) => of(a) - of(b))
    for (const box of sorted) place.set(box.id, place.size)
    return { name, boxes: sorted }
  })
}
