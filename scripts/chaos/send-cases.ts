import type { Case } from './cases.ts'
import { excerpt, exchangeAlone, Line, type Outcome } from './wire.ts'

export interface SendOptions {
  port: number
  /** Connections at once. */
  lanes: number
  /** The next case; null when there are no more. */
  take(): Case | null
  /** Gets what came back of each request; of one that is sent twice, both times. */
  onOutcome(each: Case, outcome: Outcome): void
  /** What came back was not HTTP. */
  onFault(what: string): void
}

/** How often some requests go out together on one connection, and how many. */
const PIPELINED = { everyNth: 9, count: 4 }

/** Sends cases over many connections until there are no more. */
export async function sendCases(options: SendOptions): Promise<void> {
  const { port, lanes, take } = options
  const lane = async () => {
    const line = new Line(port)
    for (let each = take(); each !== null; each = take()) {
      const together = [each]
      if (each.index % PIPELINED.everyNth === 0)
        for (let more = 1; more < PIPELINED.count; more++) {
          const other = take()
          if (other !== null) together.push(other)
        }
      const isKept = (some: Case) => some.manner.kind === 'kept'
      await sendTogether(line, together.filter(isKept), options)
      for (const other of together) if (!isKept(other)) await sendAlone(other, options)
    }
    line.close()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** In one write, on the connection of the lane. */
async function sendTogether(line: Line, cases: Case[], { onOutcome, onFault }: SendOptions): Promise<void> {
  const sent = cases.flatMap(each => (each.isRepeated ? [each, each] : [each]))
  if (sent.length === 0) return
  try {
    const outcomes = await line.exchange(
      Buffer.concat(sent.map(each => each.bytes)),
      sent.map(each => each.isHead),
    )
    for (const [at, each] of sent.entries()) onOutcome(each, outcomes[at] as Outcome)
  } catch (error) {
    const names = sent.map(each => `${each.index} (${each.what})`).join(', ')
    onFault(`cases ${names}: ${(error as Error).message}`)
  }
}

async function sendAlone(each: Case, { port, onOutcome, onFault }: SendOptions): Promise<void> {
  try {
    onOutcome(each, await exchangeAlone(port, each.bytes, each.manner, each.isHead))
  } catch (error) {
    onFault(`case ${each.index} (${each.what}): ${(error as Error).message}; sent ${excerpt(each.bytes)}`)
  }
}
