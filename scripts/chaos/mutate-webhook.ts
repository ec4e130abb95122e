import { randomBytes } from 'node:crypto'
import { connectDatabase } from '../../db/client.ts'
import { updateStates } from '../../db/queries/overview.ts'
import { createVault } from '../../server/vault.ts'
import { type Case, caseOf, FORGED_MARK } from './cases.ts'
import { type AccountMode, type DoorName, pathOf, serverEnvironment } from './doors.ts'
import { faultOf } from './judge.ts'
import { Ledger, type LedgerResult } from './ledger.ts'
import { LogReader } from './log-reader.ts'
import { type MemoryReport, memoryReport } from './memory.ts'
import { sendCases } from './send-cases.ts'
import { freePort, type ServerProcess, sleep, startServerProcess } from './server-process.ts'
import { countAccounts, storedUpdates } from './stored-updates.ts'
import { excerpt, type Outcome } from './wire.ts'

export interface MutationOptions {
  /** A migrated database with nothing in it. */
  databaseUrl: string
  /** How the Official Account is configured. */
  mode: AccountMode
  /** The numbers of the cases to send: from the first up to, and without, the second. */
  from: number
  to: number
  /** Connections at once. */
  lanes: number
  seed: number
  tell?: (line: string) => void
  /** Gets every case with what came back. */
  onOutcome?: (each: Case, outcome: Outcome) => void
}

export interface MutationResult {
  mode: AccountMode
  sent: number
  /** Answered with 200, refused with 4xx, and left without an answer (broken HTTP, connections cut by us). */
  taken: number
  refused: number
  unanswered: number
  /** Signed requests that were answered with 200 and must be stored. */
  acknowledged: number
  stored: LedgerResult['kinds']
  states: LedgerResult['states']
  /** Errors that the server logged while it handled updates. */
  loggedErrors: Record<string, number>
  seconds: number
  /** null when the run was too short to tell. */
  memory: MemoryReport | null
  /** What does not hold; at most the first hundred. */
  faults: string[]
  faultCount: number
}

const MAX_FAULTS = 100
const SAMPLE_EVERY_MS = 200
const TELL_EVERY = 10_000
/** Longer than five attempts at ten-second intervals take. */
const SETTLE_LIMIT_MS = 120_000

/**
 * Sends mutated callbacks to a server process of its own and holds every answer, and in the end every row, against what
 * must be: nothing forged is taken or stored, everything signed is acknowledged and stored once, nothing breaks.
 */
export async function mutateWebhook(options: MutationOptions): Promise<MutationResult> {
  const { databaseUrl, mode } = options
  const dataKey = randomBytes(32).toString('base64')
  const faults: string[] = []
  let faultCount = 0
  const fault = (what: string) => {
    faultCount++
    if (faults.length < MAX_FAULTS) faults.push(what)
  }
  const log = new LogReader(fault)
  const server = await startServerProcess({
    environment: serverEnvironment({ databaseUrl, dataKey, mode, logLevel: 'info' }),
    port: await freePort(),
    onLine: line => log.read(line),
  })
  const { db, close } = connectDatabase(databaseUrl, 2)
  try {
    // it answers a moment before it listens to signals, too
    while (!log.isListening && server.ended === null) await sleep(20)
    const { ledger, ...sent } = await sendMutations(options, server, fault)
    if (server.ended !== null) fault(`the server ended: ${server.ended}`)

    // one that fails is tried again for more than an hour before it is set aside: it counts in `states`
    const left = async () => (await updateStates(db)).received ?? 0
    const giveUpAt = performance.now() + SETTLE_LIMIT_MS
    while (server.ended === null && performance.now() < giveUpAt && (await left()) > 0) await sleep(500)
    if ((await left()) > 0) fault(`${await left()} updates are neither handled nor set aside`)
    const end = server.ended ?? (await server.stop())
    if (end !== 'exit 0') fault(`the server did not stop as it should: ${end}`)

    const vault = createVault(dataKey)
    const compared = await ledger.compare(storedUpdates(db), sealed => vault.open(sealed))
    for (const each of compared.faults) fault(each)
    const accounts = await countAccounts(db, FORGED_MARK)
    if (accounts > 0) fault(`${accounts} accounts of forged senders are known`)
    if (sent.memory?.isFlat === false)
      fault(`memory grows from ${sent.memory.first} to ${sent.memory.last} MB`)
    return {
      mode,
      ...sent,
      acknowledged: ledger.acknowledged,
      stored: compared.kinds,
      states: compared.states,
      loggedErrors: log.errors,
      faults,
      faultCount,
    }
  } finally {
    await server.kill()
    await close()
  }
}

/** Sends all cases, judges every answer, and watches the server's memory meanwhile. */
async function sendMutations(
  { seed, mode, from, to, lanes, tell = () => {}, onOutcome = () => {} }: MutationOptions,
  server: ServerProcess,
  fault: (what: string) => void,
) {
  const doors = await openDoors(server.port)
  const ledger = new Ledger()
  const count = { sent: 0, taken: 0, refused: 0, unanswered: 0 }
  const samples: number[] = []
  const sampler = setInterval(() => {
    const megabytes = server.memory()
    if (megabytes !== null) samples.push(megabytes)
  }, SAMPLE_EVERY_MS)
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  let next = from
  await sendCases({
    port: server.port,
    lanes,
    take: () =>
      next < to && server.ended === null ? caseOf({ seed, mode, doors }, next++, new Date()) : null,
    onOutcome(each, outcome) {
      count.sent++
      const isTaken = typeof outcome !== 'string' && outcome.status === 200
      if (typeof outcome === 'string') count.unanswered++
      else if (isTaken) count.taken++
      else count.refused++
      const wrong = faultOf(each, outcome)
      if (wrong) fault(`case ${each.index} (${each.what}): ${wrong}; sent ${excerpt(each.bytes)}`)
      ledger.enter(each, isTaken)
      onOutcome(each, outcome)
      if (count.sent % TELL_EVERY === 0)
        tell(
          `${mode}: ${count.sent} sent, ${count.taken} taken, ${count.refused} refused, ` +
            `${Math.round(count.sent / seconds())}/s, ${Math.round(server.memory() ?? 0)} MB`,
        )
    },
    onFault: fault,
  })
  clearInterval(sampler)
  return { ledger, ...count, seconds: Math.round(seconds()), memory: memoryReport(samples) }
}

/** The doors that a server has. A robot's door may be missing from it. */
async function openDoors(port: number): Promise<DoorName[]> {
  const doors: DoorName[] = []
  for (const door of ['wecom', 'official-account', 'aibot'] as const) {
    const response = await fetch(`http://127.0.0.1:${port}${pathOf(door)}`, { method: 'POST', body: '-' })
    await response.text()
    if (response.status !== 404) doors.push(door)
  }
  return doors
}
