import {
  type GroupAnswers,
  groupAnswers,
  insertUnitMonths,
  linesOfUnits,
  takeUnitsToRemind,
  type UnitToAsk,
  unitsToAsk,
} from '../../../db/queries/months.ts'
import { lastFactsOfUnits } from '../../../db/queries/records.ts'
import { roleHolders, unitById } from '../../../db/queries/units.ts'
import { type DomainRuntime, inTransaction, type Runtime } from '../../runtime.ts'
import { answerersFor, managingPairs } from '../groups/managers.ts'
import type { ActionCard } from '../outgoing/card.ts'
import { sendCards, sendToPersons } from '../outgoing/enqueue.ts'
import { collectFigures } from '../reports/collect-figures.ts'
import type { TrackingFigures } from '../reports/tracking-sheet.ts'
import { unitFigures } from './figures.ts'
import { lateBy } from './late-start.ts'
import { closeAt, dueAt, dueOn, monthRules, monthSpan, remindUnitsAt, signingLevels } from './rules.ts'
import { missingBelow } from './sign.ts'
import { dayName, figuresWords, momentName, monthName } from './words.ts'

/** Parents whose units are asked in one transaction. */
const PARENTS = 20
/** Units in a list; the rest stands on the page. */
const MAX_NAMED = 30
const PORTION = 500
const HOUR_MS = 3_600_000

/** What a unit is asked to sign. */
interface Draft {
  unit: UnitToAsk
  /** Its name with those above it: there may be others of the name. */
  line: string
  figures: TrackingFigures
  answers: GroupAnswers | undefined
  /** Of a unit with a row on the sheet: what it said last; null: nothing yet. */
  facts: { month: string; branches: number; cadres: number; youth: number } | null | undefined
  missing: string[]
}

/**
 * Lays their month before the units, level by level from below: a level is asked where all below have signed, and
 * everywhere once the day of those below is over. @returns how many units were asked
 */
export async function askUnits(
  rt: Runtime,
  programme: string,
  month: string,
  signal?: AbortSignal,
): Promise<number> {
  const { end } = monthSpan(month)
  const late = await lateBy(rt, programme, month)
  let asked = 0
  for (const [at, level] of signingLevels.entries()) {
    const below = signingLevels.slice(0, at)
    const isDue = below.every(each => rt.clock.now() > dueAt(month, each, late))
    for (let after = 0; !signal?.aborted; ) {
      const last = await inTransaction(rt, async tx => {
        const units = await unitsToAsk(tx.db, {
          programme,
          month,
          level,
          below,
          isDue,
          end,
          after,
          parents: PARENTS,
        })
        const byParent = Map.groupBy(units, unit => unit.parentId ?? unit.id)
        for (const own of byParent.values())
          asked += await askSiblings(tx, own, { programme, month, level, late })
        return [...byParent.keys()].at(-1) ?? null
      })
      if (last === null) break
      after = last
    }
  }
  return asked
}

/** Asks units of one parent: their figures are counted together, and who answers for several gets one message. */
async function askSiblings(
  tx: DomainRuntime,
  units: UnitToAsk[],
  { programme, month, level, late }: { programme: string; month: string; level: string; late: number },
): Promise<number> {
  const now = tx.clock.now()
  const isNew = await insertUnitMonths(
    tx.db,
    units.map(unit => ({ unitId: unit.id, month, askedAt: now, dueAt: dueAt(month, level, late) })),
  )
  const fresh = units.filter(unit => isNew.has(unit.id))
  const [first] = fresh
  if (!first) return 0
  const top = first.parentId === null ? first : { path: parentPath(first.path) }
  const unitIds = fresh.map(unit => unit.id)
  const [at, answers, facts, answerers, lines] = await Promise.all([
    collectFigures(tx, { path: top.path, programme }, month),
    groupAnswers(tx.db, top.path, month, monthSpan(month)),
    lastFactsOfUnits(tx.db, unitIds, month),
    answerersFor(tx, unitIds),
    linesOfUnits(tx.db, unitIds),
  ])
  const drafts = new Map<number, Draft>()
  for (const unit of fresh) {
    const whole = first.parentId === null ? await wholeOf(tx, unit.id, month) : at(unit.id).figures
    drafts.set(unit.id, {
      unit,
      line: (lines.get(unit.id) ?? [unit.name]).join('/'),
      figures: whole,
      answers: first.parentId === null ? sumOfAnswers(answers) : answers.get(unit.id),
      facts:
        level === monthRules.rowLevel ? (facts.find(each => each.unitId === unit.id) ?? null) : undefined,
      missing: level === signingLevels[0] ? [] : await missingBelow(tx, { ...unit, level }, month),
    })
  }
  const own = await ownPairs(tx, unitIds)
  await sendCards(
    tx,
    [...byPerson(unitIds, answerers)].map(([personId, ids]) =>
      question(
        tx,
        month,
        { dueOn: dueOn(month, level, late) ?? '', closesAt: closeAt(month, late) },
        personId,
        ids.map(id => drafts.get(id) as Draft),
        id => own.has(`${personId} ${id}`),
      ),
    ),
    'task',
  )
  return fresh.length
}

/** A unit at the top: all below it, not by child. */
async function wholeOf(tx: DomainRuntime, unitId: number, month: string): Promise<TrackingFigures> {
  const unit = await unitById(tx.db, unitId)
  if (!unit) throw new Error(`there is no unit ${unitId}`)
  return unitFigures(tx, unit, month)
}

/** The answers of all below a unit at the top, together. */
function sumOfAnswers(answers: Map<number, GroupAnswers>): GroupAnswers {
  const sum: GroupAnswers = { groups: 0, answered: 0, corrected: 0, ownerless: 0 }
  for (const each of answers.values())
    for (const key of ['groups', 'answered', 'corrected', 'ownerless'] as const) sum[key] += each[key]
  return sum
}

function parentPath(path: string): string {
  return path.replace(/\d+\/$/, '')
}

/** `person unit` of those who run the very unit; others answer for it because nobody does. */
async function ownPairs(tx: DomainRuntime, unitIds: number[]): Promise<Set<string>> {
  const roles = managingPairs(tx.templates).map(pair => pair.role)
  const holders = await roleHolders(tx.db, unitIds, roles)
  return new Set(holders.map(holder => `${holder.personId} ${holder.unitId}`))
}

function byPerson(unitIds: number[], answerers: Map<number, number[]>): Map<number, number[]> {
  const found = new Map<number, number[]>()
  for (const unitId of unitIds)
    for (const personId of answerers.get(unitId) ?? [])
      found.set(personId, [...(found.get(personId) ?? []), unitId])
  return found
}

function question(
  rt: DomainRuntime,
  month: string,
  days: { dueOn: string; closesAt: Date },
  personId: number,
  drafts: Draft[],
  isOwn: (unitId: number) => boolean,
): { personId: number; card: ActionCard; text: string } {
  const name = monthName(month)
  const by = `请在${dayName(days.dueOn)}前签报，上级要汇总；${momentName(days.closesAt)}关账。`
  const [draft] = drafts as [Draft]
  const { unit } = draft
  const isFor = isOwn(unit.id) ? '' : '这里还没有能签报的同志，所以请您代签。'
  const command = isOwn(unit.id) ? `签报 ${name}` : `签报 ${name} ${unit.name}`
  const page = `${rt.publicUrl}/console/months/${unit.id}/${month}`
  const card: ActionCard = {
    about: { kind: 'unit_month', id: unit.id },
    title: `【${name}签报】${unit.name}`,
    description: `${figuresWords(draft.figures)}。${isFor}${by}`,
    rows: cardRows(draft),
    buttons: [
      { text: '签报', isMain: true, command: `签报 ${month} ${draft.line}` },
      { text: '看明细', url: page },
    ],
  }
  if (drafts.length === 1)
    return {
      personId,
      card,
      text: [
        `【${name}签报】${unit.name}${name}的数：${figuresWords(draft.figures)}。${isFor}`,
        ...[factsWords(draft), answersWords(draft), missingWords(draft)].filter(line => line !== ''),
        `都对，请回复：${command}`,
        ...(draft.facts === undefined
          ? []
          : [
              `有变化，请先回复，如：填报 ${draft.facts ? `团支部 ${draft.facts.branches} 团干部 ${draft.facts.cadres} 团员青年 ${draft.facts.youth}` : '团支部 12 团干部 36 团员青年 480'}`,
            ]),
        `${by}明细：${page}`,
      ].join('\n'),
    }
  const shown = drafts.slice(0, MAX_NAMED)
  const all = `${rt.publicUrl}/console/months?month=${month}`
  const lines = shown.map(each => `· ${each.unit.name}：${figuresWords(each.figures)}`)
  const text = [
    `【${name}签报】您负责的 ${drafts.length} 个单位${name}的数：`,
    ...lines,
    ...(drafts.length > shown.length ? [`另有 ${drafts.length - shown.length} 个，见 ${all}`] : []),
    ...(drafts.some(each => !isOwn(each.unit.id)) ? ['其中有的还没有能签报的同志，所以请您代签。'] : []),
    `都对，请回复：签报 ${name} 全部；只签一个：签报 ${name} ${unit.name}`,
    by,
  ].join('\n')
  return {
    personId,
    text,
    card: {
      // what is asked together has one parent
      about: { kind: 'unit_months', id: unit.parentId ?? unit.id },
      title: `【${name}签报】${drafts.length} 个单位`,
      description: `${shown.map(each => each.unit.name).join('、')}。${by}`,
      rows: [],
      buttons: [
        { text: '全部签报', isMain: true, command: `签报 ${month} 全部` },
        { text: '看明细', url: all },
      ],
    },
  }
}

/** What stands on a card beside the sums. */
function cardRows({ facts, answers, missing }: Draft): { name: string; value: string }[] {
  return [
    ...(facts
      ? [
          { name: '团支部', value: `${facts.branches} 个` },
          { name: '团干部', value: `${facts.cadres} 人` },
          { name: '团员青年', value: `${facts.youth} 人（${monthName(facts.month)}报）` },
        ]
      : []),
    ...(facts === null ? [{ name: '先填报', value: '填报 团支部 12 团干部 36 团员青年 480' }] : []),
    ...(answers && answers.groups > 0
      ? [
          {
            name: '群主核对',
            value: `${answers.answered}/${answers.groups} 个群${answers.ownerless > 0 ? `，${answers.ownerless} 个没有群主` : ''}`,
          },
        ]
      : []),
    ...(missing.length > 0 ? [{ name: '没有签报', value: missing.join('、') }] : []),
  ]
}

/** What the unit has said of itself, for it to say so again or anew. */
function factsWords({ facts }: Draft): string {
  if (facts === undefined) return ''
  if (facts === null) return '团支部、团干部、团员青年数还没有报过，签报前请先填报。'
  return `团支部 ${facts.branches} 个、团干部 ${facts.cadres} 人、团员青年 ${facts.youth} 人（${monthName(facts.month)}报的，没有变化不用再报）。`
}

function answersWords({ answers }: Draft): string {
  if (!answers || answers.groups === 0) return ''
  const ownerless = answers.ownerless > 0 ? `；${answers.ownerless} 个群没有群主，请替他们核对` : ''
  return `${answers.groups} 个群里 ${answers.answered} 个群主已经核对${ownerless}。`
}

function missingWords({ missing }: Draft): string {
  return missing.length === 0 ? '' : `下面还没有签报的：${missing.join('、')}。他们的数按现有的记录算。`
}

/** Reminds units on their last day. @returns how many persons were written to */
export async function remindUnits(
  rt: Runtime,
  programme: string,
  month: string,
  signal?: AbortSignal,
): Promise<number> {
  const late = await lateBy(rt, programme, month)
  let written = 0
  for (const level of signingLevels) {
    if (rt.clock.now() < remindUnitsAt(month, level, late)) continue
    for (let more = PORTION; more === PORTION && !signal?.aborted; )
      more = await inTransaction(rt, async tx => {
        const now = tx.clock.now()
        const askedBefore = new Date(now.getTime() - monthRules.remind.afterHours * HOUR_MS)
        const units = await takeUnitsToRemind(tx.db, {
          programme,
          month,
          level,
          askedBefore,
          limit: PORTION,
          now,
        })
        const names = new Map(units.map(unit => [unit.id, unit.name]))
        const unitIds = units.map(unit => unit.id)
        const people = byPerson(unitIds, await answerersFor(tx, unitIds))
        const due = dayName(dueOn(month, level, late) ?? '')
        const when = now > dueAt(month, level, late) ? `${due}的期限已经过了` : '今天截止'
        await sendToPersons(
          tx,
          [...people].map(([personId, ids]) => ({
            personId,
            text: reminder(
              month,
              ids.map(id => names.get(id) ?? ''),
              when,
            ),
          })),
          'reminder',
        )
        written += people.size
        return units.length
      })
  }
  return written
}

function reminder(month: string, names: string[], when: string): string {
  const name = monthName(month)
  const shown = names.slice(0, MAX_NAMED).join('、')
  const [what, command] =
    names.length === 1
      ? [shown, `签报 ${name} ${shown}`]
      : [`${shown}${names.length > MAX_NAMED ? `等` : ''} ${names.length} 个单位`, `签报 ${name} 全部`]
  return `【提醒】${what}${name}的数还没有签报，${when}，上级汇总要用。看过没有问题，请回复：${command}`
}
