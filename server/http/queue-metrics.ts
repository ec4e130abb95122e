import { type Figure, queueFigures } from '../../db/queries/metrics.ts'
import { officialAccountCodes } from '../channels/official-account/codes.ts'
import { wecomCodes } from '../channels/wecom/codes.ts'
import type { Runtime } from '../runtime.ts'

export type MetricsRuntime = Pick<Runtime, 'db' | 'clock'>

/** What the metrics need of prom-client, which is loaded only where somebody asked for them. */
export type Prometheus = typeof import('prom-client')

const LOST_WITHIN_MS = 24 * 3600_000
/** Longer than the usual minute between two scrapes, so that nothing falls in between. */
const CALLS_WITHIN_MS = 5 * 60_000

interface Described {
  figure: Figure['name']
  help: string
  label?: string
  /** Shown as 0 when there is none, so that a rule of Prometheus has something to compare. */
  always: string[]
}

const described: Record<string, Described> = {
  qunzhen_updates: {
    figure: 'updates',
    help: 'Callbacks stored and not done: received, failing (to be tried again), set_aside (for an operator)',
    label: 'state',
    always: ['received', 'failing', 'set_aside'],
  },
  qunzhen_updates_oldest_seconds: {
    figure: 'updates_age',
    help: 'How long the oldest received callback has waited',
    always: [''],
  },
  qunzhen_outgoing_messages: {
    figure: 'outgoing',
    help: 'Messages not sent, by status; failed and unknown: those made within a day',
    label: 'status',
    always: ['pending', 'retrying', 'sending', 'waiting', 'failed', 'unknown'],
  },
  qunzhen_outgoing_oldest_due_seconds: {
    figure: 'outgoing_age',
    help: 'How long the message that is due the longest has been due',
    always: [''],
  },
  qunzhen_timers_overdue: { figure: 'steps', help: 'Reminders and escalations that are due', always: [''] },
  qunzhen_timers_oldest_overdue_seconds: {
    figure: 'steps_age',
    help: 'How long the oldest of them has been due',
    always: [''],
  },
  qunzhen_group_readings_due: {
    figure: 'readings',
    help: 'Groups whose member list is to be read',
    always: [''],
  },
  qunzhen_alarms_open: {
    figure: 'alarms',
    help: 'Alarms that nobody has closed, by what they are about',
    label: 'about',
    always: [],
  },
  qunzhen_channel_calls_recent: {
    figure: 'calls',
    help: 'Calls to the platforms within five minutes, by the class of their answer',
    label: 'channel,result',
    always: ['wecom,ok', 'official-account,ok'],
  },
}

/**
 * What stands in the database, in Prometheus' text format; every process says the same. A database that does not answer is
 * a metric, too, so that the rest still gets out.
 */
export async function queueMetrics(rt: MetricsRuntime, { Registry, Gauge }: Prometheus): Promise<string> {
  const registry = new Registry()
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] })
  const figures = await readFigures(rt)
  gauge('qunzhen_database_up', 'Whether the database answers').set(figures ? 1 : 0)
  for (const [name, { figure, help, label, always }] of Object.entries(figures ? described : {})) {
    const labelNames = label?.split(',') ?? []
    const values = new Map(always.map(kind => [kind, 0]))
    for (const each of figures ?? [])
      if (each.name === figure) values.set(each.label, (values.get(each.label) ?? 0) + each.value)
    const metric = gauge(name, help, labelNames)
    for (const [kind, value] of values) {
      const kinds = kind.split(',')
      metric.set(Object.fromEntries(labelNames.map((each, index) => [each, kinds[index] ?? ''])), value)
    }
  }
  return registry.metrics()
}

/** null: the database did not answer. */
async function readFigures(rt: MetricsRuntime): Promise<Figure[] | null> {
  const now = rt.clock.now()
  const before = (milliseconds: number) => new Date(now.getTime() - milliseconds)
  try {
    const figures = await queueFigures(rt.db, now, before(LOST_WITHIN_MS), before(CALLS_WITHIN_MS))
    return figures.map(each => (each.name === 'calls' ? { ...each, label: resultOf(each.label) } : each))
  } catch {
    return null
  }
}

/** The class of a platform's code, as it decides what becomes of a message. @param call `channel errcode` */
function resultOf(call: string): string {
  const [channel = '', errcode = ''] = call.split(' ')
  const codes = channel === 'official-account' ? officialAccountCodes : wecomCodes
  const result =
    errcode === '' ? 'no_answer' : errcode === '0' ? 'ok' : (codes.get(Number(errcode)) ?? 'rejected')
  return `${channel},${result}`
}
