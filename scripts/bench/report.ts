import { type Measured, type Mode, median, speedAgainst, summaries } from './statistics.ts'

/** The names under which our server and the hand-written durable one are measured. */
export const OURS = 'qunzhen'
export const HAND_WRITTEN = 'limit-durable'

export interface Figures {
  /** At full load. */
  runs: readonly Measured[]
  /** Ours at half of its top rate, requests coming evenly; as many rounds as at full load. */
  halfRate: readonly Measured[]
  /** Updates that were acknowledged and are missing, doubled, unhandled or without their reply. */
  storageFaults: number
}

export interface Target {
  name: string
  /** null: not measured in this run. */
  value: number | null
  /** Such as `>=1.5`. */
  target: string
  holds: boolean | null
}

/** What this server is to reach, and whether it does. */
export function targetsOf({ runs, halfRate, storageFaults }: Figures): Target[] {
  const own = runs.filter(run => run.server === OURS)
  const peers = (mode: Mode) =>
    [...new Set(runs.filter(run => run.mode === mode).map(run => run.server))].filter(
      server => server !== OURS && server !== HAND_WRITTEN,
    )
  const worst = (some: readonly Measured[], pick: (run: Measured) => number) =>
    some.length === 0 ? null : Math.max(...some.map(pick))
  return [
    target('wecom_vs_fastest_peer', speedAgainst(runs, 'wecom', OURS, peers('wecom')), '>=', 1.5),
    target('oa_vs_fastest_peer', speedAgainst(runs, 'oa-aes', OURS, peers('oa-aes')), '>=', 0.9),
    target('vs_hand_written_durable', speedAgainst(runs, 'wecom', OURS, [HAND_WRITTEN]), '>=', 0.5),
    target('p99_ms_at_half_rate', worstMode(halfRate), '<', 50),
    target(
      'worst_ms_full_load',
      worst(own, run => run.max_ms),
      '<',
      1000,
    ),
    target(
      'rss_mb',
      worst([...own, ...halfRate], run => run.peak_mb),
      '<=',
      256,
    ),
    target(
      'wrong_replies',
      [...own, ...halfRate].reduce((sum, run) => sum + run.errors, 0),
      '<=',
      0,
    ),
    target('storage_faults', storageFaults, '<=', 0),
  ]
}

/** The p99 of the mode in which it is larger, in the middle of its rounds. */
function worstMode(halfRate: readonly Measured[]): number | null {
  const modes = [...new Set(halfRate.map(run => run.mode))]
  const middles = modes.map(mode => median(halfRate.filter(run => run.mode === mode).map(run => run.p99_ms)))
  return middles.length === 0 ? null : Math.max(...middles)
}

function target(name: string, value: number | null, sign: '>=' | '<=' | '<', limit: number): Target {
  const rounded = value === null ? null : Math.round(value * 100) / 100
  const holds =
    value === null ? null : sign === '>=' ? value >= limit : sign === '<=' ? value <= limit : value < limit
  return { name, value: rounded, target: `${sign}${limit}`, holds }
}

const modeNames: Record<Mode, string> = { wecom: '企业微信', 'oa-aes': '公众号（安全模式）' }

/** The medians as Markdown, one table for each mode. */
export function tablesOf(runs: readonly Measured[]): string {
  return [...new Set(runs.map(run => run.mode))]
    .map(mode => {
      const rows = summaries(runs, mode).map(row =>
        [
          row.server,
          row.rps,
          `${row.lowest}–${row.highest}`,
          row.server_us,
          row.p50_ms,
          row.p99_ms,
          row.max_ms,
          Math.round(row.peak_mb),
          row.errors,
          row.forged,
        ].join(' | '),
      )
      return [
        `${modeNames[mode]}（${mode}）`,
        '',
        '| 服务 | 请求/秒 | 最低–最高 | CPU µs/请求 | p50 ms | p99 ms | 最慢 ms | 内存峰值 MB | 错误 | 伪造的签名 |',
        '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --- |',
        ...rows.map(row => `| ${row} |`),
      ].join('\n')
    })
    .join('\n\n')
}

/** The targets as Markdown. */
export function targetTable(targets: readonly Target[]): string {
  const verdict = (holds: boolean | null) => (holds === null ? '没有量' : holds ? '达到' : '未达到')
  return [
    '| 目标 | 值 | 要求 | 结果 |',
    '| --- | --: | --: | --- |',
    ...targets.map(
      each => `| ${each.name} | ${each.value ?? '–'} | ${each.target} | ${verdict(each.holds)} |`,
    ),
  ].join('\n')
}
