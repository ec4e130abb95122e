import { parseArgs } from 'node:util'
import { connectDatabase } from '../db/client.ts'
import { addMonths, monthOf, systemClock } from '../server/clock.ts'
import { startBenchServer } from './bench/bench-server.ts'
import { nationalTree } from './bench/national-tree.ts'
import { nationalGroups } from './bench/notice/national-groups.ts'
import { nationalRecords } from './bench/reports/national-records.ts'
import { type ReadFigure, readFigures } from './bench/reports/read-figures.ts'
import { recordMessages } from './bench/reports/record-messages.ts'
import { sortMessages } from './bench/reports/sort-messages.ts'
import { withDurablePostgres } from './chaos/durable-postgres.ts'
import { countOf, runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run bench:reports [-- --rows 10000000 --groups 606000 --rounds 5]

在全国的规模上（44,704 个单位，60.6 万个群，1,000 万条消息记录分布在 24 个月，最近的月最多）量：
  · 每张报表，各级里最大的那个单位，做出来要多久（不到 1 秒）；全国汇总要多久（不到 2 秒）；
    旁边是在原始行上最好的一条 SQL 要多久；
  · 登记一条消息（一条语句一个事务）是往一模一样、没有计数的表里写同样的行的几倍（不超过 1.5 倍），轮流量；
  · 消息分类单核每秒多少条（不少于 10,000），从启动到第一个结果多久（不到 1 秒）。
数据库打开 fsync、synchronous_commit，否则不量。最后一行是 JSON；目标全部达到时退出码 0。

  --rows     消息记录条数（默认 10000000）
  --groups   群数（默认 606000）
  --rounds   轮数（默认 5），取中位数`

/** Records written in a round. */
const WRITTEN = 1000

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '10000000' },
      groups: { type: 'string', default: '606000' },
      rounds: { type: 'string', default: '5' },
    },
  })
  const rows = countOf('rows', values.rows, 1000)
  const groups = countOf('groups', values.groups, 1000)
  const rounds = countOf('rounds', values.rounds)

  return withDurablePostgres(async url => {
    const { server, databaseUrl } = await startBenchServer(url, 'reports')
    // what is written turn and turn about is told apart by a setting of its one connection
    const writing = connectDatabase(databaseUrl, 1)
    try {
      const { rt } = server
      const started = performance.now()
      await nationalTree(rt)
      await nationalGroups(rt.db, 'shaoxiandui', groups, systemClock.now())
      const month = addMonths(monthOf(systemClock.now()), -1)
      await nationalRecords(rt.db, 'shaoxiandui', rows, month)
      console.log(
        `${rows} 条消息记录、${groups} 个群、44,704 个单位，备好用了 ${((performance.now() - started) / 1000).toFixed(0)} 秒\n`,
      )
      const figures = await readFigures(rt, month, rounds)
      console.log(tableOf(figures))
      const written = await recordMessages(writing.db, month, { records: Math.min(WRITTEN, groups), rounds })
      const ratio = written.us / written.bareUs
      console.log(
        `\n登记一条消息：${written.us.toFixed(0)} µs；没有计数的表：${written.bareUs.toFixed(0)} µs；${ratio.toFixed(2)} 倍`,
      )
      const sorted = await sortMessages(rounds)
      console.log(
        `消息分类：每秒 ${sorted.perSecond.toFixed(0)} 条（单核）；启动到第一个结果 ${sorted.startMs.toFixed(0)} ms\n`,
      )
      const isRollUp = (figure: ReadFigure) => figure.limitMs > 1000
      const slowest = (of: ReadFigure[]) => Math.max(...of.map(figure => figure.ms))
      const targets = [
        target('slowest_form_ms', slowest(figures.filter(figure => !isRollUp(figure))), '<', 1000),
        target('national_roll_up_ms', slowest(figures.filter(isRollUp)), '<', 2000),
        target('record_vs_bare_insert', ratio, '<=', 1.5),
        target('classified_per_second', sorted.perSecond, '>=', 10_000),
        target('classifier_start_ms', sorted.startMs, '<', 1000),
      ]
      console.log(JSON.stringify({ bench: 'reports', rows, targets }))
      return targets.every(each => each.holds) ? 0 : 1
    } finally {
      await writing.close()
      await server.stop()
    }
  })
})

function tableOf(figures: ReadFigure[]): string {
  const line = ({ name, unit, ms, rawMs, limitMs }: ReadFigure) => {
    const raw = rawMs === null ? '– | –' : `${rawMs.toFixed(0)} | ${(ms / rawMs).toFixed(2)}`
    return `| ${name} | ${unit} | ${ms.toFixed(0)} | ${raw} | ${limitMs} |`
  }
  return [
    '| 报表 | 最大的单位 | ms | 原始行上一条 SQL ms | 倍 | 不超过 ms |',
    '| --- | --- | --: | --: | --: | --: |',
    ...figures.map(line),
  ].join('\n')
}

function target(name: string, value: number, sign: '<' | '<=' | '>=', limit: number) {
  const holds = sign === '<' ? value < limit : sign === '<=' ? value <= limit : value >= limit
  return { name, value: Math.round(value * 100) / 100, target: `${sign}${limit}`, holds }
}
