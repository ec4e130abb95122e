import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { connectDatabase } from '../db/client.ts'
import { removeEmbeddedData, startEmbeddedPostgres } from '../db/embedded.ts'
import { refusalCode } from '../db/errors.ts'
import { openDatabase } from '../db/open.ts'
import { type Matrix, readMatrix } from '../db/queries/rehearsal-matrix.ts'
import { type UnitRow, unitByCode, unitById } from '../db/queries/units.ts'
import { systemClock } from '../server/clock.ts'
import { readConfig, readDataConfig } from '../server/config.ts'
import { parseImportance } from '../server/domain/notices/rules.ts'
import { holds, type RehearsalResult } from '../server/domain/rehearsals/result.ts'
import {
  outages,
  type PlayedPlatforms,
  playedPlatforms,
  type RehearsalSettings,
  rehearsalSettings,
} from '../server/domain/rehearsals/settings.ts'
import { DomainError } from '../server/errors.ts'
import { loadTemplates } from '../server/templates.ts'
import { inventMatrix } from './rehearsal/invent-matrix.ts'
import { printResult } from './rehearsal/print.ts'
import { rehearse, rolesOfProgramme } from './rehearsal/rehearse.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const HELP = `用法: npm run rehearse -- --unit 610802 [--programme qingnong] [--importance 当天]
      npm run rehearse -- --invented 2000 [--seed 1]

演练一次通知：把本单位的矩阵（只有单位、群和谁能用什么账号，没有姓名和电话）抄到旁边一个临时的库里，在模拟的企业微信和
公众号上把一天走完，看多少群能收到、多久收到、哪里收不到。不会给任何真人发消息；临时库用完就删。
99% 的群收到、每人不超过 4 条消息时退出码 0，否则 1。最后一行是 JSON。

  --unit 编码        演练哪个单位和它的全部下级
  --programme 体系   qingnong、xibu 或 shaoxiandui（默认 qingnong）
  --invented 群数    不用自己的矩阵，编一个这么多群的
  --groups 群数      最多演练多少个群，多了抽一部分（默认 3000）
  --seed 数          同样的种子，同样的经过（默认 1）
  --importance 紧要  普通、当天（默认）或 紧急
  --mode 方式        at-once 各级同时（默认），by-level 逐级
  --at 时刻          几点发出（默认 09:00）
  --outage 平台      前两小时出故障的：wecom、official-account 或 both
  --robots-removed 、--owners-lost 份额   多少群的机器人被移除、多少群主没了账号，如 0.1
  --owners-soon 、--owners-late 、--contacts 、--units 份额   多少人会办（默认 0.6、0.3、0.7、0.8）`

const options = {
  unit: { type: 'string' },
  programme: { type: 'string', default: 'qingnong' },
  invented: { type: 'string' },
  groups: { type: 'string' },
  seed: { type: 'string' },
  importance: { type: 'string' },
  mode: { type: 'string' },
  at: { type: 'string' },
  outage: { type: 'string' },
  'robots-removed': { type: 'string' },
  'owners-lost': { type: 'string' },
  'owners-soon': { type: 'string' },
  'owners-late': { type: 'string' },
  contacts: { type: 'string' },
  units: { type: 'string' },
  job: { type: 'boolean', default: false },
} as const
type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

runCommandLine(HELP, async args => {
  const { values } = parseArgs({ args, options })
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stopping.abort(new Error('interrupted')))
  if (values.job) return runForServer(stopping)
  const settings = settingsFrom(values)
  const rehearsed =
    values.invented === undefined
      ? ofOwnMatrix(values, settings, stopping.signal)
      : ofInvented(numberFrom('invented', values.invented) ?? 0, settings, stopping.signal)
  const result = await rehearsed.catch(error => {
    if (!stopping.signal.aborted) throw error
    return null
  })
  if (result === null) {
    console.error('已停止，临时的库已经删掉。')
    return 130
  }
  const { levels } = loadTemplates().programme(values.invented === undefined ? values.programme : 'qingnong')
  console.log(printResult(result, id => levels.find(level => level.id === id)?.name ?? id))
  const { groups, reached, mostMessages, mostParts, minutesTo, seconds, refused } = result
  const figures = {
    groups,
    reached,
    share: reached / Math.max(groups, 1),
    mostMessages,
    mostParts,
    minutesTo,
    seconds,
  }
  console.log(
    JSON.stringify({ rehearsal: { seed: settings.seed, ...figures, refused, holds: holds(result) } }),
  )
  return holds(result) ? 0 : 1
})

function settingsFrom(values: Values): RehearsalSettings {
  const importance = values.importance === undefined ? undefined : parseImportance(values.importance)
  if (importance === null) throw new UsageError(`--importance 要是普通、当天或紧急：${values.importance}`)
  if (values.outage !== undefined && !(outages as readonly string[]).includes(values.outage))
    throw new UsageError(`--outage 要是 ${outages.join('、')}：${values.outage}`)
  const parsed = rehearsalSettings.safeParse({
    importance,
    mode: values.mode,
    at: values.at,
    outage: values.outage,
    seed: numberFrom('seed', values.seed),
    groups: numberFrom('groups', values.groups),
    robotsRemoved: numberFrom('robots-removed', values['robots-removed']),
    ownersWithoutAccount: numberFrom('owners-lost', values['owners-lost']),
    ownersSoon: numberFrom('owners-soon', values['owners-soon']),
    ownersLate: numberFrom('owners-late', values['owners-late']),
    contacts: numberFrom('contacts', values.contacts),
    units: numberFrom('units', values.units),
  })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new UsageError(`设置不对：${issue?.path.join('.')}（${issue?.message}）`)
  }
  return parsed.data
}

function numberFrom(name: string, written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  const number = Number(written)
  if (!Number.isFinite(number)) throw new UsageError(`--${name} 要是数字：${written}`)
  return number
}

async function ofOwnMatrix(
  values: Values,
  settings: RehearsalSettings,
  signal: AbortSignal,
): Promise<RehearsalResult> {
  if (!values.unit) throw new UsageError('要写 --unit 单位编码，或 --invented 群数。')
  const database = await openDatabase(readDataConfig(process.env))
  try {
    const unit = await unitByCode(database.db, values.programme, values.unit)
    if (!unit) throw new UsageError(`没有编码是 ${values.unit} 的单位（体系 ${values.programme}）。`)
    const matrix = await matrixOf(database.db, unit, settings)
    return await rehearse(database.url, matrix, settings, playedPlatforms(readConfig(process.env)), signal)
  } finally {
    await database.close()
  }
}

async function matrixOf(
  db: Parameters<typeof readMatrix>[0],
  unit: UnitRow,
  settings: RehearsalSettings,
): Promise<Matrix> {
  const matrix = await readMatrix(db, unit, {
    ...rolesOfProgramme(loadTemplates(), unit.programme),
    most: settings.groups,
    seed: settings.seed,
    now: systemClock.now(),
  })
  if (matrix.groups.length === 0) throw new UsageError(`${unit.name}及下级还没有登记过群。`)
  return matrix
}

const everything: PlayedPlatforms = {
  wecom: { isVerified: true, accountCap: 200 },
  official: { kind: 'service', isVerified: true, hasTemplate: true },
}

/** Beside a database that is there, or else in one that is started for it and gone afterwards. */
async function ofInvented(
  groups: number,
  settings: RehearsalSettings,
  signal: AbortSignal,
): Promise<RehearsalResult> {
  if (!Number.isInteger(groups) || groups < 1 || groups > 20_000)
    throw new UsageError(`--invented 要是 1 到 20000 的整数：${groups}`)
  const matrix = inventMatrix(groups, settings.seed)
  const { DATABASE_URL } = process.env
  if (DATABASE_URL) return rehearse(DATABASE_URL, matrix, settings, everything, signal)
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-rehearsal-'))
  const data = join(folder, 'postgres')
  const embedded = await startEmbeddedPostgres({ folder: data, throwAway: true })
  try {
    return await rehearse(embedded.url, matrix, settings, everything, signal)
  } finally {
    await embedded.stop()
    removeEmbeddedData(data)
    rmSync(folder, { recursive: true, force: true })
  }
}

interface JobOrder {
  unitId: number
  settings: unknown
  platforms: PlayedPlatforms
}

/**
 * Does what the server's job asks for in one line of JSON, and answers with one. The job holds our input open: when it
 * closes, the server has gone, and nobody waits for an answer. It is given no key to anything sealed.
 */
async function runForServer(stopping: AbortController): Promise<number> {
  const lines = createInterface({ input: process.stdin })
  lines.once('close', () => stopping.abort(new Error('the server has gone')))
  const line = await new Promise<string>(done => lines.once('line', done))
  const { unitId, settings: asked, platforms } = JSON.parse(line) as JobOrder
  const settings = rehearsalSettings.parse(asked)
  const address = process.env.DATABASE_URL ?? ''
  const { db, close } = connectDatabase(address, 1)
  try {
    const unit = await unitById(db, unitId)
    if (!unit) throw new UsageError('没有这个单位。')
    const matrix = await matrixOf(db, unit, settings)
    console.log(JSON.stringify(await rehearse(address, matrix, settings, platforms, stopping.signal)))
    return 0
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === null) throw error
    console.log(JSON.stringify({ reason }))
    return 1
  } finally {
    await close()
    lines.removeAllListeners('close')
    lines.close()
  }
}

/** PostgreSQL's insufficient_privilege. */
const NOT_PERMITTED = '42501'

/** What an office or its operator can do something about; null for anything else. */
function reasonOf(error: unknown): string | null {
  if (error instanceof UsageError || error instanceof DomainError) return error.message
  return refusalCode(error) === NOT_PERMITTED
    ? '数据库账号不能建库，演练没有地方做：请系统管理员给它 CREATEDB 权限。'
    : null
}
