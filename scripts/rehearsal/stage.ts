import { pino } from 'pino'
import {
  insertMatrix,
  type Matrix,
  type MatrixAccount,
  personIdsOf,
} from '../../db/queries/rehearsal-matrix.ts'
import { type MovableClock, movableClock, shanghaiMoment } from '../../server/clock.ts'
import { type Config, readConfig } from '../../server/config.ts'
import type { PlayedPlatforms, RehearsalSettings } from '../../server/domain/rehearsals/settings.ts'
import { botFor } from '../../server/main.ts'
import { type RunningServer, randomDataKey, startServer } from '../../server/start.ts'
import { type Simulator, startSimulator } from '../simulator/index.ts'
import { chanceOf } from './chance.ts'

/** An ordinary Monday: what day it is changes nothing, and the same seed goes the same way on any. */
const DAY = '2026-09-07'
const TEMPLATE = 'rehearsed-notice'
/** Makes the groups on the platform whose owner has no account of the corp. */
const KEEPERS = ['keeper-1', 'keeper-2']
const AT_ONCE = 16

export interface RehearsalStage {
  sim: Simulator
  server: RunningServer
  clock: MovableClock
  /** The simulator's person for somebody of the matrix; those without an account are not there. */
  simPersonOf: ReadonlyMap<number, string>
  /** The other way round. */
  personOf: ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** Starts the platforms' stand-in and a real server that knows nothing else, and sets the matrix up on both. */
export async function openStage(
  databaseUrl: string,
  matrix: Matrix,
  settings: RehearsalSettings,
  platforms: PlayedPlatforms,
): Promise<RehearsalStage> {
  const clock = movableClock(shanghaiMoment(DAY, settings.at))
  const sim = await startSimulator({ clock, seed: settings.seed + 1, logLimit: 1000 })
  const stops = [() => sim.stop()]
  const stop = async () => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    const config = configFor(sim, platforms)
    const server = await startServer({
      config,
      createBot: botFor,
      clock,
      log: pino({ level: 'silent' }),
      withSchedule: false,
      databaseUrl,
    })
    stops.push(() => server.stop())
    addPlatforms(sim, config)
    const people = addPeople(sim, matrix)
    const webhooks = addGroups(sim, matrix, people, settings)
    await insertMatrix(server.rt.db, matrix, {
      now: clock.now(),
      personName: id => `演练人员${id}`,
      groupName: id => `演练群${id}`,
      addressOf,
      chatIdOf,
      webhooks: new Map([...webhooks].map(([id, address]) => [id, server.rt.vault.seal(address)])),
    })
    await makeAppChats(server, matrix)
    await sim.idle()
    if (config.wecom) sim.setCallbackUrl('wecom', `${server.url}/webhooks/wecom`)
    if (config.officialAccount)
      sim.setCallbackUrl('officialAccount', `${server.url}/webhooks/official-account`)
    if (config.officialAccount) await openWindows(sim, matrix, people)
    const personOf = new Map([...people].map(([id, simId]) => [simId, id]))
    return { sim, server, clock, simPersonOf: people, personOf, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Settings of a server whose only platforms are the simulator. @throws Error when any address is another machine's */
export function configFor(sim: Pick<Simulator, 'baseUrls'>, { wecom, official }: PlayedPlatforms): Config {
  const config = readConfig({
    PORT: '0',
    DATABASE_POOL: '16',
    DATA_KEY: randomDataKey(),
    LOG_LEVEL: 'silent',
    WECOM_BASE_URL: sim.baseUrls.wecom,
    OFFICIAL_ACCOUNT_BASE_URL: sim.baseUrls.officialAccount,
    ...(wecom && {
      WECOM_CORP_ID: 'ww0rehearsal00000',
      WECOM_AGENT_ID: '1000001',
      WECOM_SECRET: 'rehearsal-wecom-secret',
      WECOM_TOKEN: 'rehearsalWecomToken',
      WECOM_AES_KEY: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
      WECOM_VERIFIED: wecom.isVerified ? 'yes' : 'no',
      WECOM_ACCOUNT_CAP: String(wecom.accountCap),
    }),
    ...(official && {
      OFFICIAL_ACCOUNT_APP_ID: 'wx0rehearsal0000',
      OFFICIAL_ACCOUNT_SECRET: 'rehearsal-account-secret',
      OFFICIAL_ACCOUNT_TOKEN: 'rehearsalAccountToken',
      OFFICIAL_ACCOUNT_AES_KEY: 'GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba',
      OFFICIAL_ACCOUNT_KIND: official.kind,
      OFFICIAL_ACCOUNT_VERIFIED: official.isVerified ? 'yes' : 'no',
      ...(official.hasTemplate && { OFFICIAL_ACCOUNT_NOTICE_TEMPLATE: TEMPLATE }),
    }),
  })
  const addresses = [config.wecomBaseUrl, ...(config.officialAccount ? [config.officialAccount.baseUrl] : [])]
  for (const address of addresses)
    if (new URL(address).hostname !== '127.0.0.1')
      throw new Error(`a rehearsal must not reach ${new URL(address).hostname}`)
  return config
}

/** Without callback addresses yet: what the setting up makes happen is no news. */
function addPlatforms(sim: Simulator, { wecom, officialAccount }: Config): void {
  if (wecom) {
    const { corpId, agentId, secret, token, aesKey, accountCap, isVerified } = wecom
    sim.addWecomApp({ corpId, agentId, secret, token, aesKey, accountCap, verified: isVerified })
  }
  if (officialAccount) {
    const { appId, secret, token, aesKey, kind, isVerified } = officialAccount
    sim.addOfficialAccount({
      appId,
      originalId: 'gh_rehearsal',
      secret,
      token,
      aesKey: aesKey ?? '',
      mode: 'secure',
      kind,
      verified: isVerified,
      templates: { [TEMPLATE]: ['thing1', 'time2', 'thing3'] },
    })
  }
}

/** Ids of customers begin with wm, those of members do not. */
function addressOf({ personId, channel, isMember }: MatrixAccount): string {
  if (channel === 'official-account') return `o-rehearsed-${personId}`
  return isMember ? `rehearsed-${personId}` : `wm-rehearsed-${personId}`
}

/** Letters and digits only, as the app's own groups need it. */
const chatIdOf = (groupId: number) => `wrrehearsed${groupId}`

function addPeople(sim: Simulator, matrix: Matrix): Map<number, string> {
  for (const wecomUserId of KEEPERS) sim.addPerson({ name: '平台管理员', wecomUserId })
  const accounts = Map.groupBy(matrix.accounts, account => account.personId)
  const people = new Map<number, string>()
  for (const personId of personIdsOf(matrix)) {
    const theirs = accounts.get(personId) ?? []
    const wecom = theirs.find(account => account.channel === 'wecom')
    const official = theirs.find(account => account.channel === 'official-account')
    const { id } = sim.addPerson({
      name: `演练人员${personId}`,
      ...(wecom && { [wecom.isMember ? 'wecomUserId' : 'externalUserId']: addressOf(wecom) }),
      ...(official && { openId: addressOf(official), follows: official.isReachable }),
    })
    if (wecom?.isMember || official) people.set(personId, id)
  }
  return people
}

/** Groups on the platforms, and the addresses of their robots. Ordinary groups are nothing to a platform. */
function addGroups(
  sim: Simulator,
  matrix: Matrix,
  people: ReadonlyMap<number, string>,
  { seed, robotsRemoved }: RehearsalSettings,
): Map<number, string> {
  const members = new Set(
    matrix.accounts.filter(account => account.isMember).map(account => account.personId),
  )
  const [keeper] = sim.persons()
  const ownerOf = (ownerId: number | null) =>
    (ownerId !== null && members.has(ownerId) && people.get(ownerId)) || (keeper?.id as string)
  const webhooks = new Map<number, string>()
  for (const { id, platform, ownerId, hasChat, hasRobot } of matrix.groups) {
    const common = { name: `演练群${id}`, ownerId: ownerOf(ownerId) }
    if (platform === 'customer' && hasChat)
      sim.createGroup({ kind: 'customer', chatId: chatIdOf(id), ...common })
    if (platform === 'internal' && hasRobot) {
      const group = sim.createGroup({ kind: 'internal', ...common })
      const webhook = sim.addRobot(group.id)
      webhooks.set(id, webhook)
      if (chanceOf(seed, 'robot', id) < robotsRemoved) sim.removeRobot(webhook)
    }
  }
  return webhooks
}

/** Groups of the app are made through the interface, as they really are. */
async function makeAppChats({ rt }: RunningServer, matrix: Matrix): Promise<void> {
  const { wecom } = rt.channels
  const [owner = ''] = KEEPERS
  if (!wecom) return
  for (const { id, platform, hasChat } of matrix.groups)
    if (platform === 'appchat' && hasChat)
      await wecom.createAppChat({ chatId: chatIdOf(id), name: `演练群${id}`, owner, members: KEEPERS })
}

/** Whoever has written lately can be written to: they write. */
async function openWindows(
  sim: Simulator,
  matrix: Matrix,
  people: ReadonlyMap<number, string>,
): Promise<void> {
  const open = matrix.accounts.flatMap(account => (account.isOpen && people.get(account.personId)) || [])
  for (let from = 0; from < open.length; from += AT_ONCE)
    await Promise.all(open.slice(from, from + AT_ONCE).map(id => sim.say(id, '帮助', 'officialAccount')))
  await sim.idle()
}
