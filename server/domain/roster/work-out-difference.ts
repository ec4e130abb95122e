import {
  differenceCounts,
  indexDifference,
  ownOfficeLines,
  repeatedLines,
  rosterVersion,
  takeOutPersonsBeyond,
  withMemoryForSets,
  workOutDifference,
  wrongLines,
} from '../../../db/queries/roster-difference.ts'
import {
  insertProblems,
  newBranches,
  noteDifference,
  type StagedDifference,
} from '../../../db/queries/roster-staging.ts'
import { type UnitRow, unitByCode, unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskIdNumber } from './id-number.ts'
import { maskPhone } from './phone.ts'
import type { RosterProblem } from './roster-row.ts'
import { type RosterScope, scopeOf } from './scope.ts'
import type { Staged } from './stage-file.ts'
import { maskName } from './text.ts'

export interface DifferenceOptions {
  programme: string
  /** The file is the whole roster of this unit and all below it: whoever is not in it has gone. */
  wholeOf?: string
  /** The path of the unit that the file may touch, with all below it (`scope.ts`); left out: the whole programme. */
  within?: string
}

/** So many people of other units may differ and be named. */
const MAX_BEYOND = 20

/**
 * Works out what a staged file changes against what stands now, and what is wrong with that. It is left with the staging,
 * for lists and for applying. Call it in a transaction.
 * @throws DomainError `unit.unknown`
 */
export async function differenceOf(
  rt: DomainRuntime,
  { id, facts }: Staged,
  options: DifferenceOptions,
): Promise<StagedDifference> {
  const { programme } = options
  await withMemoryForSets(rt.db)
  const scope = options.within === undefined ? null : await scopeAt(rt, programme, options.within)
  const whole = options.wholeOf === undefined ? null : await wholeUnit(rt, programme, options.wholeOf, scope)
  const version = await rosterVersion(rt.db, programme)
  await workOutDifference(rt.db, id, {
    programme,
    wholePath: whole?.path ?? null,
    scope: scope && { id: scope.unit.id, path: scope.unit.path, officeRoles: scope.officeRoles },
  })
  const problems = await problemsOfComparing(rt, id, programme, scope)
  await insertProblems(rt.db, id, problems, true)
  await indexDifference(rt.db, id)
  const difference: StagedDifference = {
    ...(await differenceCounts(rt.db, id)),
    newUnits: (await newBranches(rt.db, id)).length,
    errors: facts.errors + problems.length,
    warnings: facts.warnings,
    wrong: await wrongLines(rt.db, id),
    version,
  }
  await noteDifference(rt.db, id, difference)
  return difference
}

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
): Promise<RosterProblem[]> {
  const problems: RosterProblem[] = (await repeatedLines(rt.db, id)).map(({ line, earlier, name }) => ({
    line,
    column: '姓名',
    value: maskName(name),
    reason: `与第 ${earlier} 行是同一人、同一单位和角色，请只留一行。`,
    severity: 'error',
  }))
  if (!scope) return problems
  const reach = { id: scope.unit.id, path: scope.unit.path, officeRoles: scope.officeRoles }
  const beyond = await personProblems(rt, id, scope, reach)
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
  return [...problems, ...beyond, ...own]
}

/** Rows that would change somebody whom others rely on too. @see RosterScope, rule 3 */
async function personProblems(
  rt: DomainRuntime,
  id: number,
  { unit }: RosterScope,
  reach: Parameters<typeof takeOutPersonsBeyond>[2],
): Promise<RosterProblem[]> {
  const beyond = await takeOutPersonsBeyond(rt.db, id, reach)
  if (beyond.length > MAX_BEYOND)
    // line by line such a file would tell which of many numbers are registered somewhere
    return [
      {
        line: 0,
        column: '手机号、身份证号',
        value: '',
        reason: `有 ${MAX_BEYOND} 个以上的人还在${unit.name}以外的单位登记，而文件里的信息与登记的不同。请核对文件，或联系上级。`,
        severity: 'error',
      },
    ]
  return beyond.map(({ line, name, phoneSealed, idNumberSealed }) => {
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
  })
}
