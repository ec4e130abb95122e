/** Upper ends of the classes in seconds. A callback is answered within four, and the platforms hang up after five. */
const BOUNDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 4, 10]

interface RouteStats {
  /** The labels as they stand in the text. */
  labels: string
  statuses: Map<number, number>
  /** How many fell into each class; what took longer than the last is in `count` only. */
  classes: number[]
  count: number
  seconds: number
}

const DURATION = 'qunzhen_http_request_duration_seconds'
const REQUESTS = 'qunzhen_http_requests_total'

/**
 * Counts requests by the pattern of their route. For every callback this is two look-ups and some additions; prom-client
 * would put together and hash the labels each time.
 */
export class RequestStats {
  private readonly routes = new Map<string, Map<string, RouteStats>>()

  count(method: string, route: string, status: number, milliseconds: number): void {
    const stats = this.routes.get(route)?.get(method) ?? this.add(method, route)
    const seconds = milliseconds / 1000
    stats.statuses.set(status, (stats.statuses.get(status) ?? 0) + 1)
    stats.count++
    stats.seconds += seconds
    for (let index = 0; index < BOUNDS.length; index++)
      if (seconds <= (BOUNDS[index] as number)) {
        stats.classes[index] = (stats.classes[index] as number) + 1
        return
      }
  }

  /** In Prometheus' text format. */
  text(): string {
    const all = [...this.routes.values()].flatMap(methods => [...methods.values()])
    const requests = all.flatMap(({ labels, statuses }) =>
      [...statuses].map(([status, count]) => `${REQUESTS}{${labels},status="${status}"} ${count}`),
    )
    return [
      `# HELP ${REQUESTS} Requests answered, by the pattern of the route`,
      `# TYPE ${REQUESTS} counter`,
      ...requests,
      `# HELP ${DURATION} How long the answers took`,
      `# TYPE ${DURATION} histogram`,
      ...all.flatMap(durationLines),
      '',
    ].join('\n')
  }

  private add(method: string, route: string): RouteStats {
    const stats = {
      labels: `method="${method}",route="${route.replace(/["\\\n]/g, '_')}"`,
      statuses: new Map(),
      classes: BOUNDS.map(() => 0),
      count: 0,
      seconds: 0,
    }
    const methods = this.routes.get(route) ?? new Map()
    this.routes.set(route, methods.set(method, stats))
    return stats
  }
}

function durationLines({ labels, classes, count, seconds }: RouteStats): string[] {
  let below = 0
  const buckets = BOUNDS.map((bound, index) => {
    below += classes[index] as number
    return `${DURATION}_bucket{${labels},le="${bound}"} ${below}`
  })
  return [
    ...buckets,
    `${DURATION}_bucket{${labels},le="+Inf"} ${count}`,
    `${DURATION}_sum{${labels}} ${seconds}`,
    `${DURATION}_count{${labels}} ${count}`,
  ]
}
