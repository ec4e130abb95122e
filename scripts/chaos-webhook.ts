import { parseArgs } from 'node:util'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { withDurablePostgres } from './chaos/durable-postgres.ts'
import { killUnderLoad } from './chaos/kill-webhook.ts'
import { type MutationResult, mutateWebhook } from './chaos/mutate-webhook.ts'
import { type Phase, phasesOf } from './chaos/phases.ts'
import { countOf, runCommandLine, UsageError } from './support/command-line.ts'

const HELP = `用法: npm run chaos:webhook [-- --only mutations|kills] [--mutations 200000] [--kills 200] [--seed 1]

对着真的服务进程和落盘的 PostgreSQL，分两部分：
  1. 变异：从各种签过名的回调出发，改坏正文、查询参数、请求头、HTTP 本身，一半是伪造的，一半签名正确而内容古怪；
     核对：没有 5xx，进程不退出，伪造的一个也没有收下，签过名的都应答 200 并且在库里恰好一次，内存不涨。
     公众号分别用安全、兼容、明文模式；明文模式的签名不管正文，那里只看服务稳不稳。
  2. 杀进程：压力下随机 SIGKILL，核对每个已应答的回调都在库里、恰好生效一次、都处理完。
最后一行是 JSON；全部成立时退出码 0，否则 1。

  --mutations  变异的请求数（默认 200000）
  --kills      杀几次（默认 200）
  --only       只做一部分：mutations 或 kills
  --seed       随机数种子；同一种子重现同一批请求（默认 1）
  --case       只重发第几号变异，并印出请求和应答（配合 --seed 和 --mutations）
  --lanes      同时的连接数（默认 48；杀进程时 16）`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      mutations: { type: 'string', default: '200000' },
      kills: { type: 'string', default: '200' },
      lanes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      case: { type: 'string' },
    },
  })
  const mutations = countOf('mutations', values.mutations)
  const kills = countOf('kills', values.kills)
  const seed = countOf('seed', values.seed, 0)
  const lanes = values.lanes === undefined ? null : countOf('lanes', values.lanes)
  const only = values.only ?? 'all'
  if (!['all', 'mutations', 'kills'].includes(only)) throw new UsageError(`没有这一部分：${only}`)
  const oneCase = values.case === undefined ? null : countOf('case', values.case, 0)
  if (oneCase !== null && oneCase >= mutations) throw new UsageError(`--case 要小于 --mutations：${oneCase}`)

  // durable: what is acknowledged must be on disk, and the process that holds it is not the one that is killed
  return withDurablePostgres(async serverUrl => {
    const database = async (name: string) => {
      const url = await createDatabase(serverUrl, name)
      await migrateDatabase(url)
      return url
    }
    const tell = (line: string) => console.log(line)
    const run = { mutations, seed, lanes: lanes ?? 48, database, tell }
    if (oneCase !== null) return repeatCase(run, oneCase)
    const mutated = only === 'kills' ? null : await runMutations(run)
    const killed =
      only === 'mutations'
        ? null
        : await killUnderLoad({
            databaseUrl: await database('kills'),
            kills,
            lanes: lanes ?? 16,
            seed,
            tell,
          })
    const holds =
      (mutated?.faults ?? 0) === 0 &&
      (killed === null || killed.lost + killed.doubled + killed.unhandled === 0)
    console.log(JSON.stringify({ chaos: 'webhook', seed, mutations: mutated, kills: killed, holds }))
    return holds ? 0 : 1
  })
})

interface MutationRun {
  mutations: number
  seed: number
  lanes: number
  /** Makes a migrated database with nothing in it. */
  database(name: string): Promise<string>
  tell(line: string): void
}

/** All phases one after the other: a server and a database each. */
async function runMutations(run: MutationRun) {
  const results: MutationResult[] = []
  for (const phase of phasesOf(run.mutations)) {
    if (phase.mode === 'plain') run.tell('明文模式：签名只管查询参数，正文谁都能改，这里只看服务稳不稳')
    const { seed, lanes, tell } = run
    const databaseUrl = await run.database(`mutations_${phase.mode}`)
    const result = await mutateWebhook({ ...phase, databaseUrl, seed, lanes, tell })
    for (const fault of result.faults) tell(`不成立：${fault}`)
    if (result.faultCount > 0)
      tell(
        `重现某一号：npm run chaos:webhook -- --mutations ${run.mutations} --seed ${seed} --case 号` +
          `；重现这一批：--only mutations --mutations ${run.mutations} --seed ${seed}`,
      )
    results.push(result)
  }
  const sum = (pick: (result: MutationResult) => number) =>
    results.reduce((total, result) => total + pick(result), 0)
  return {
    sent: sum(result => result.sent),
    taken: sum(result => result.taken),
    refused: sum(result => result.refused),
    unanswered: sum(result => result.unanswered),
    acknowledged: sum(result => result.acknowledged),
    storedUnknown: sum(result => result.stored.unknown ?? 0),
    storedTyped: sum(result => typedIn(result)),
    setAside: sum(result => result.states.set_aside ?? 0),
    loggedErrors: Object.assign({}, ...results.map(result => result.loggedErrors)) as Record<string, number>,
    seconds: sum(result => result.seconds),
    memory: Object.fromEntries(results.map(result => [result.mode, result.memory])),
    faults: sum(result => result.faultCount),
  }
}

function typedIn({ stored }: MutationResult): number {
  return Object.entries(stored).reduce((sum, [kind, count]) => (kind === 'unknown' ? sum : sum + count), 0)
}

/** Sends one case again to a fresh server, and shows what goes there and what comes back. */
async function repeatCase(run: MutationRun, number: number): Promise<number> {
  const isIn = (phase: Phase) => number >= phase.from && number < phase.to
  const phase = phasesOf(run.mutations).find(isIn) as Phase
  const result = await mutateWebhook({
    mode: phase.mode,
    from: number,
    to: number + 1,
    seed: run.seed,
    lanes: 1,
    databaseUrl: await run.database('one_case'),
    onOutcome(each, outcome) {
      console.log(`第 ${each.index} 号，公众号 ${phase.mode} 模式：${each.what}；应当 ${each.expected}`)
      console.log(`\n请求（${each.manner.kind}）：\n${each.bytes.subarray(0, 4000).toString('latin1')}`)
      const answer =
        typeof outcome === 'string' ? outcome : `${outcome.status} ${outcome.body.toString('utf8')}`
      console.log(`\n应答：${answer}`)
    },
  })
  console.log(JSON.stringify({ stored: result.stored, faults: result.faults }))
  return result.faultCount === 0 ? 0 : 1
}
