import { randomBytes } from 'node:crypto'
import { connectDatabase } from '../../../db/client.ts'
import { billsOfRun } from '../../../db/queries/pay-bills.ts'
import { ledgerSums, runById } from '../../../db/queries/subsidies.ts'
import { dayOf, systemClock } from '../../../server/clock.ts'
import { readConfig } from '../../../server/config.ts'
import type { KnownActor } from '../../../server/domain/actor.ts'
import { approveRun } from '../../../server/domain/subsidies/approve.ts'
import { type BillState, isFinal } from '../../../server/domain/subsidies/bill-state.ts'
import { dealWithBill } from '../../../server/domain/subsidies/deal-with-bill.ts'
import { makeRun, setYearBudget, submitRun } from '../../../server/domain/subsidies/runs.ts'
import { orderOfBill } from '../../../server/domain/subsidies/settle.ts'
import { createLog } from '../../../server/log.ts'
import type { DomainRuntime } from '../../../server/runtime.ts'
import { loadTemplates } from '../../../server/templates.ts'
import { createVault } from '../../../server/vault.ts'
import { chance } from '../../demo/chance.ts'
import { type Simulator, startSimulator } from '../../simulator/index.ts'
import { playedMerchant } from '../../support/merchant.ts'
import { freePort, type ServerProcess, sleep, startServerProcess } from '../server-process.ts'
import { judgePayout, type PayoutVerdict } from './judge.ts'
import { fillUniversity } from './university.ts'

export interface KillPayoutOptions {
  /** A migrated database with nothing in it. */
  databaseUrl: string
  kills: number
  payments: number
  seed: number
  tell?: (line: string) => void
}

export interface KillPayoutResult extends PayoutVerdict {
  kills: number
  /** Kills while something was still to be sent or to end. */
  killsUnderWay: number
  seconds: number
}

const ORIGIN = 'https://qunzhen.example.cn'
const APP_ID = 'wxchaos0payout'
const BALANCE = 100_000_000_000
/** A kill comes within so long of the payments that it waits for. */
const KILL_EVERY_MS = 1500
/** So long a kill waits at most for payments to be sent, so that kills fall all over the run. */
const MORE_LIMIT_MS = 20_000
/** Longer than a bill is put off after many looks in vain, with the looks behind it. */
const SETTLE_LIMIT_MS = 1_500_000

/**
 * Pays a list with a server that is killed with SIGKILL again and again while the platform answers late, twice, with errors
 * or not at all, and its notifications come twice or not; then holds our books against the platform's.
 */
export async function killUnderPayout(options: KillPayoutOptions): Promise<KillPayoutResult> {
  const { kills, payments, seed, tell = () => {} } = options
  const began = performance.now()
  const luck = chance(seed)
  const merchant = playedMerchant(APP_ID)
  const sim = await startSimulator({ clock: systemClock, seed })
  const port = await freePort()
  sim.pay.addMerchant({
    ...merchant.settings,
    balance: BALANCE,
    amounts: { maxPerBill: 1_000_000, perUserDay: 1_000_000, perDay: BALANCE },
    reach: { [ORIGIN]: `http://127.0.0.1:${port}` },
    lockMs: 300,
    transferMs: 300,
    cancelMs: 300,
  })
  const volunteers = Array.from({ length: payments }, (_, index) => {
    const name = `志愿者${index}`
    const openId = `o-volunteer-${index}`
    return { name, openId, simId: sim.addPerson({ name, openId }).id }
  })
  const dataKey = randomBytes(32).toString('base64')
  const environment = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    DATABASE_URL: options.databaseUrl,
    DATA_KEY: dataKey,
    PUBLIC_URL: ORIGIN,
    OFFICIAL_ACCOUNT_BASE_URL: 'http://127.0.0.1:9',
    OFFICIAL_ACCOUNT_APP_ID: APP_ID,
    OFFICIAL_ACCOUNT_SECRET: 'chaos',
    OFFICIAL_ACCOUNT_TOKEN: 'chaosToken',
    OFFICIAL_ACCOUNT_AES_KEY: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
    WECHAT_PAY_MOST_FEN_A_BILL: '1000000',
    WECHAT_PAY_MOST_FEN_A_PERSON_A_DAY: '1000000',
    WECHAT_PAY_MOST_FEN_A_DAY: String(BALANCE),
    ...merchant.environment(sim.baseUrls.pay, sim.pay.platform()),
  }
  const { db, close } = connectDatabase(options.databaseUrl, 3)
  const rt: DomainRuntime = {
    db,
    vault: createVault(dataKey),
    templates: loadTemplates(),
    clock: systemClock,
    log: createLog('error'),
    publicUrl: ORIGIN,
  }
  const start = () => startServerProcess({ port, environment })
  let server: ServerProcess | null = null
  try {
    const { runId, checker } = await approveList(
      rt,
      volunteers,
      readConfig({ ...environment, PORT: '0' }).wechatPay,
    )
    const bills = async () => billsOfRun(db, runId)
    const isOver = async () => (await bills()).every(({ bill }) => isFinal(bill.state as BillState))
    makeTrouble(sim)
    const people = playPeople(sim, luck.next, volunteers, () => pagesOf(rt, runId))
    server = await start()
    let killsUnderWay = 0
    for (let kill = 1; kill <= kills; kill++) {
      await waitForMore(bills, Math.floor((kill * payments) / (kills + 1)))
      await sleep(luck.between(0, KILL_EVERY_MS))
      if (!(await isOver())) killsUnderWay++
      await server.kill()
      server = await start()
      if (kill % 10 === 0) tell(`${kill}/${kills} kills: ${JSON.stringify(countStates(await bills()))}`)
    }
    tell('what is left is waited for')
    sim.faults.clear()
    const giveUpAt = performance.now() + SETTLE_LIMIT_MS
    while (!(await isOver()) && performance.now() < giveUpAt) {
      await callBackTheIdle(rt, checker, runId, people.isIdle)
      await sleep(500)
    }
    await people.stop()
    const own = (await bills()).map(({ bill }) => ({
      number: bill.number,
      openId: orderOfBill(rt, bill).openId,
      fen: bill.fen,
      state: bill.state,
    }))
    const spent = BALANCE - (sim.pay.merchants()[0]?.balance ?? 0)
    const verdict = judgePayout(own, await ledgerSums(db, { runId }), sim.pay.bills(), spent)
    return { ...verdict, kills, killsUnderWay, seconds: Math.round((performance.now() - began) / 1000) }
  } finally {
    await server?.kill()
    await close()
    await sim.stop()
  }
}

/** A list of everybody, made by one and approved by another. */
async function approveList(
  rt: DomainRuntime,
  volunteers: readonly { name: string; openId: string }[],
  pay: ReturnType<typeof readConfig>['wechatPay'],
): Promise<{ runId: number; checker: KnownActor }> {
  const { unitId, maker, checker } = await fillUniversity(rt, volunteers)
  const year = Number(dayOf(rt.clock.now()).slice(0, 4))
  await setYearBudget(rt, checker, { unitId, year, fen: 600_000 * volunteers.length })
  const runId = await makeRun(rt, maker, { unitId, way: 'wechat' })
  await submitRun(rt, maker, runId, pay)
  const hash = (await runById(rt.db, runId))?.contentHash ?? ''
  await approveRun(rt, checker, { runId, hash }, pay)
  return { runId, checker }
}

/** The platform answers late, not at all, with errors, and tells things twice or not. */
function makeTrouble({ faults }: Simulator): void {
  faults.on('slow-answers', { path: '/v3/', rate: 0.2, ms: 800 })
  faults.on('pay-answer-lost', { path: 'transfer-bills', rate: 0.1 })
  faults.on('pay-http-500', { path: '/v3/', rate: 0.05 })
  faults.on('pay-frequency', { path: '/v3/', rate: 0.03 })
  faults.on('pay-not-found', { path: 'out-bill-no', rate: 0.1 })
  faults.on('pay-sign-test', { rate: 0.05 })
  faults.on('duplicate-callbacks', { path: 'pay/notify', rate: 0.2 })
  faults.on('drop-callbacks', { path: 'pay/notify', rate: 0.1 })
}

/** What our pages hold for those whose payment waits for them, by its number: nobody can confirm without. */
async function pagesOf(rt: DomainRuntime, runId: number): Promise<Map<string, string>> {
  const bills = await billsOfRun(rt.db, runId)
  return new Map(
    bills.flatMap(({ bill }) =>
      bill.packageSealed === null ? [] : [[bill.number, rt.vault.open(bill.packageSealed)] as const],
    ),
  )
}

/** Most confirm soon, some cannot be paid, some do nothing: theirs is called back in the end. */
function playPeople(
  sim: Simulator,
  luck: () => number,
  volunteers: readonly { openId: string; simId: string }[],
  pages: () => Promise<Map<string, string>>,
) {
  const simIds = new Map(volunteers.map(each => [each.openId, each.simId]))
  const moods = new Map(
    volunteers.map(({ openId }) => {
      const mood = luck()
      return [openId, mood < 0.88 ? 'confirms' : mood < 0.94 ? 'frozen' : 'idle'] as const
    }),
  )
  let isStopped = false
  const work = (async () => {
    while (!isStopped) {
      const shown = await pages()
      for (const bill of sim.pay.bills()) {
        const mood = moods.get(bill.openId)
        const page = shown.get(bill.outBillNo)
        if (page === undefined || bill.state !== 'WAIT_USER_CONFIRM') continue
        if (mood === 'idle' || luck() < 0.5) continue
        const how = mood === 'frozen' ? { refusal: 'ACCOUNT_FROZEN' } : {}
        // it may have moved on between the look and the tap
        await sim.pay.confirm(simIds.get(bill.openId) ?? '', page, how).catch(() => {})
      }
      await sleep(200)
    }
  })()
  return {
    isIdle: (openId: string) => moods.get(openId) === 'idle',
    async stop() {
      isStopped = true
      await work
    },
  }
}

async function callBackTheIdle(
  rt: DomainRuntime,
  checker: KnownActor,
  runId: number,
  isIdle: (openId: string) => boolean,
): Promise<void> {
  for (const { bill } of await billsOfRun(rt.db, runId))
    if (bill.state === 'waiting' && bill.cancelAskedAt === null && isIdle(orderOfBill(rt, bill).openId))
      await dealWithBill(rt, checker, { billId: bill.id, deed: 'cancel' })
}

/** Until so many payments have been sent, or for a while. */
async function waitForMore(
  bills: () => Promise<readonly { bill: { state: string } }[]>,
  sent: number,
): Promise<void> {
  const giveUpAt = performance.now() + MORE_LIMIT_MS
  while (performance.now() < giveUpAt) {
    if ((await bills()).filter(({ bill }) => bill.state !== 'planned').length >= sent) return
    await sleep(100)
  }
}

function countStates(bills: readonly { bill: { state: string } }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { bill } of bills) counts[bill.state] = (counts[bill.state] ?? 0) + 1
  return counts
}
