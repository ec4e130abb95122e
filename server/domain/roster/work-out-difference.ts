import { countAttempt, countOf } from '../../../db/queries/identities.ts'
import { personsInLine } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  differenceContent,
  differenceCounts,
  indexDifference,
  ownOfficeLines,
  type PersonBeyond,
  repeatedLines,
  rosterVersion,
  takeOutPersonsBeyond,
  withMemoryForSets,
  workOutDifference,
  wrongLines,
} from '../../../db/queries/roster-difference.ts'
import { insertProblems, noteDifference, type StagedDifference } from '../../../db/queries/roster-staging.ts'
import { type UnitRow, unitByCode, unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { maskIdNumber } from './id-number.ts'
import { maskPhone } from './phone.ts'
import type { RosterProblem } from './roster-row.ts'
import { type RosterScope, scopeOf } from './scope.ts'
import { branchesOf, type Staged } from './stage-file.ts'
import { maskName } from './text.ts'

export interface DifferenceOptions {
  programme: string
  /** The file is the whole roster of this unit and all below it: whoever is not in it has gone. */
  wholeOf?: string
  /** The path of the unit that the file may touch, with all below it (`scope.ts`); left out: the whole programme. */
  within?: string
  /** Who compares; null: an operator on the command line. */
  actorId: number | null
}

/** So many wrong rows of persons whom others have as well are told one by one; more are no slip of the pen. */
const MAX_NAMED = 200
/** So often a day somebody is told that rows of others' persons are wrong. source: project assumption */
const MAX_ASKED = 10
const DAY_MS = 24 * 3600_000

/**
 * Works out what a staged file changes against what stands now, and what is wrong with that. It is left with the staging,
 * for lists and for applying. Call it in a transaction.
 * @throws DomainError `unit.unknown`, `roster.others` once too much was asked about persons of others (`noteOthers`)
 */
export async function differenceOf(
  rt: DomainRuntime,
  staged: Staged,
  options: DifferenceOptions,
): Promise<StagedDifference> {
  const { id, facts } = staged
  const { programme, actorId } = options
  if (actorId !== null && (await countOf(rt.db, attemptsOf(actorId), rt.clock.now())) >= MAX_ASKED)
    throw tooMuchAsked()
  await withMemoryForSets(rt.db)
  const scope = options.within === undefined ? null : await scopeAt(rt, programme, options.within)
  const whole = options.wholeOf === undefined ? null : await wholeUnit(rt, programme, options.wholeOf, scope)
  const version = await rosterVersion(rt.db, programme)
  await workOutDifference(rt.db, id, {
    programme,
    wholePath: whole?.path ?? null,
    scope: scope && { id: scope.unit.id, path: scope.unit.path, officeRoles: scope.officeRoles },
  })
  const { problems, hasOthers } = await problemsOfComparing(rt, id, programme, scope)
  await insertProblems(rt.db, id, problems, true)
  await indexDifference(rt.db, id)
  const difference: StagedDifference = {
    ...(await differenceCounts(rt.db, id)),
    newUnits: (await branchesOf(rt, staged)).length,
    errors: facts.errors + problems.length,
    warnings: facts.warnings,
    wrong: await wrongLines(rt.db, id),
    version,
    content: await differenceContent(rt.db, id),
    hasOthers,
  }
  await noteDifference(rt.db, id, difference)
  return difference
}

/**
 * Counts and keeps that somebody was told of wrong rows of persons who are others'. Call it in the transaction
 * that compares, or behind it where it was rolled back: whatever is shown is noted.
 * @throws DomainError `roster.others`
 */
export async function noteOthers(
  rt: DomainRuntime,
  { actorId, within, programme }: DifferenceOptions,
  difference: Pick<StagedDifference, 'hasOthers'> | null,
): Promise<void> {
  if (!difference?.hasOthers || actorId === null || within === undefined) return
  await inTransaction(rt, async tx => {
    const now = tx.clock.now()
    if ((await countAttempt(tx.db, attemptsOf(actorId), now, DAY_MS)) > MAX_ASKED) throw tooMuchAsked()
    await appendAudit(tx.db, {
      at: now,
      actorId,
      action: 'roster.others_compared',
      subjectKind: 'unit',
      subjectId: Number(within.split('/').at(-2)),
      details: { programme },
    })
  })
}

function tooMuchAsked(): DomainError {
  return new DomainError(
    'roster.others',
    '今天已多次上传与外单位登记不一致的名册，暂停核对。请明天再试，或联系上级核对。',
  )
}

const attemptsOf = (actorId: number) => `roster-others:${actorId}`

async function scopeAt(rt: DomainRuntime, programme: string, path: string): Promise<RosterScope> {
  const unit = await unitById(rt.db, Number(path.split('/').at(-2)))
  if (!unit) throw new DomainError('unit.unknown', '没有这个单位，请重新选择。')
  return scopeOf(rt.templates, programme, unit)
}

async function wholeUnit(
  rt: DomainRuntime,
  programme: string,
  code: string,
  scope: RosterScope | null,
): Promise<UnitRow> {
  const top = await unitByCode(rt.db, programme, code)
  if (!top || (scope && !scope.holds(top)))
    throw new DomainError('unit.unknown', `没有编码是 ${code} 的单位。`)
  return top
}

async function problemsOfComparing(
  rt: DomainRuntime,
  id: number,
  programme: string,
  scope: RosterScope | null,
): Promise<{ problems: RosterProblem[]; hasOthers: boolean }> {
  const repeated = await repeatedLines(rt.db, id)
  if (!scope) return { problems: repeated.map(repeatedProblem), hasOthers: false }
  const reach = { id: scope.unit.id, path: scope.unit.path, officeRoles: scope.officeRoles }
  const beyond = await takeOutPersonsBeyond(rt.db, id, reach)
  const isOwn = await ownPersons(rt, scope, [
    ...repeated.flatMap(each => each.personId ?? []),
    ...beyond.map(each => each.personId),
  ])
  const named = [
    ...repeated.filter(each => each.personId === null || isOwn(each.personId)).map(repeatedProblem),
    ...beyond.filter(each => isOwn(each.personId)).map(each => beyondProblem(rt, scope, each)),
  ]
  const hasOthers = named.length < repeated.length + beyond.length
  const own = (await ownOfficeLines(rt.db, id, reach)).map(({ line, role }): RosterProblem => {
    const name = rt.templates.role(programme, role).name
    return {
      line,
      column: '角色',
      value: name,
      reason: `${scope.unit.name}自己的“${name}”由上级登记，不能由本单位增加或改动。请删去这一行，或保持与登记一致；人员有变动请联系上级导入。`,
      severity: 'error',
    }
  })
  return { problems: [...(hasOthers ? [othersProblem(scope)] : []), ...named, ...own], hasOthers }
}

/**
 * Of persons in rows that are wrong those whose numbers the office has had first (`personsInLine`): of these it is told
 * which rows. Of others a file could try out one number after another, even once it had brought them in itself.
 */
async function ownPersons(
  rt: DomainRuntime,
  { unit }: RosterScope,
  personIds: number[],
): Promise<(personId: number) => boolean> {
  const all = [...new Set(personIds)]
  if (all.length > MAX_NAMED) return () => false
  const byPhone = await personsInLine(rt.db, all, [unit.path], 'phoneIndex')
  const byIdNumber = await personsInLine(rt.db, all, [unit.path], 'idNumberIndex')
  return personId => byPhone.has(personId) && byIdNumber.has(personId)
}

function repeatedProblem({
  line,
  earlier,
  name,
}: {
  line: number
  earlier: number
  name: string
}): RosterProblem {
  return {
    line,
    column: '姓名',
    value: maskName(name),
    reason: `与第 ${earlier} 行是同一人、同一单位和角色，请只留一行。`,
    severity: 'error',
  }
}

/** Line by line it would tell which of many numbers are registered somewhere. */
function othersProblem({ unit }: RosterScope): RosterProblem {
  return {
    line: 0,
    column: '手机号、身份证号',
    value: '',
    reason: `文件里有人已由${unit.name}以外的单位登记，而文件里的信息与登记的不同，或同一人写了几行。为保护个人信息不指出是哪一行，这次核对已留痕。请对照本人证件核对，或联系上级。`,
    severity: 'error',
  }
}

/** A row that would change somebody whom others rely on too. @see RosterScope, rule 3 */
function beyondProblem(
  rt: DomainRuntime,
  { unit }: RosterScope,
  { line, name, phoneSealed, idNumberSealed }: PersonBeyond,
): RosterProblem {
  const [column, value] = phoneSealed
    ? ['手机号', maskPhone(rt.vault.open(phoneSealed))]
    : idNumberSealed
      ? ['身份证号', maskIdNumber(rt.vault.open(idNumberSealed))]
      : name
        ? ['姓名', maskName(name)]
        : ['微信号', '']
  return {
    line,
    column: column as string,
    value: value as string,
    reason: `与系统里登记的不同。这个人还在${unit.name}以外的单位登记，或负责${unit.name}的工作，个人信息只能由上级更正；请改成与登记一致，或联系上级。`,
    severity: 'error',
  }
}
