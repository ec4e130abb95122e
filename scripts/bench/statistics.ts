/** The middle value; the lower of the two middle ones for an even count. @throws RangeError for none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[(sorted.length - 1) >> 1]
  if (middle === undefined) throw new RangeError('the median of nothing')
  return middle
}

/** One run of one server under load. */
export interface Measured {
  server: string
  mode: Mode
  round: number
  /** Requests a second. */
  rps: number
  p50_ms: number
  p99_ms: number
  max_ms: number
  /** CPU time of the server's process for one request, all its threads, in microseconds. */
  server_us: number
  /** Highest resident memory of the process, MB. */
  peak_mb: number
  /** Wrong or missing answers. */
  errors: number
  first_error?: string | undefined
  /** How one wrong signature was answered. */
  forged?: string | undefined
}

export type Mode = 'wecom' | 'oa-aes'

/**
 * How many times as fast as the fastest of `others` a server is, by the median of the ratios within each round: the
 * machine's own speed drifts from one round to the next. Runs with errors do not count.
 * @returns null when there is no round to compare
 */
export function speedAgainst(
  runs: readonly Measured[],
  mode: Mode,
  own: string,
  others: readonly string[],
): number | null {
  const inMode = runs.filter(run => run.mode === mode && run.errors === 0)
  const ratios = inMode
    .filter(run => run.server === own)
    .flatMap(run => {
      const rivals = inMode.filter(other => other.round === run.round && others.includes(other.server))
      return rivals.length === 0 ? [] : [run.rps / Math.max(...rivals.map(other => other.rps))]
    })
  return ratios.length === 0 ? null : median(ratios)
}

/** What all rounds of one server in one mode come to. */
export interface Summary extends Pick<Measured, 'server' | 'rps' | 'p50_ms' | 'p99_ms' | 'server_us'> {
  lowest: number
  highest: number
  /** The worst of all rounds. */
  max_ms: number
  peak_mb: number
  errors: number
  forged: string
}

/** Medians by server, the fastest first. */
export function summaries(runs: readonly Measured[], mode: Mode): Summary[] {
  const inMode = runs.filter(run => run.mode === mode)
  return [...new Set(inMode.map(run => run.server))]
    .map(server => {
      const own = inMode.filter(run => run.server === server)
      const middle = (pick: (run: Measured) => number) => median(own.map(pick))
      return {
        server,
        rps: middle(run => run.rps),
        lowest: Math.min(...own.map(run => run.rps)),
        highest: Math.max(...own.map(run => run.rps)),
        p50_ms: middle(run => run.p50_ms),
        p99_ms: middle(run => run.p99_ms),
        server_us: middle(run => run.server_us),
        max_ms: Math.max(...own.map(run => run.max_ms)),
        peak_mb: Math.max(...own.map(run => run.peak_mb)),
        errors: own.reduce((sum, run) => sum + run.errors, 0),
        forged: own.find(run => run.forged !== undefined)?.forged ?? '',
      }
    })
    .sort((a, b) => b.rps - a.rps)
}
