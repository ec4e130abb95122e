import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock } from '../../../server/clock.ts'
import { chance } from '../../demo/chance.ts'
import { type LimitName, type Simulator, startSimulator } from '../../simulator/index.ts'

// The simulator in a process of its own, which outlives the servers that are killed and tells what it has got. Started by
// `platform-process.ts`, with which it speaks over IPC.

/** How many groups of each kind; relayed ones are ordinary groups whose owners have a WeCom account. */
export interface GroupCounts {
  robots: number
  appchats: number
  /** Customer groups; two of them to an owner, so that a mass task is for several. */
  customers: number
  relayed: number
}

/** What a group is called on the platform. */
export interface PlatformGroup {
  kind: keyof GroupCounts
  /** The key of its robot, or its chat id; empty for a relayed one. */
  key: string
  /** The userid of its owner. */
  owner: string
}

export interface PlatformOptions {
  app: { corpId: string; agentId: number; secret: string; token: string; aesKey: string }
  /** Which limits are off; the others are kept, and what passes them is refused and counted. */
  limitsOff: LimitName[]
  /** How long a call takes, about half of it before it is carried out; 0: no detour. Milliseconds, the mean. */
  latencyMs: number
  seed: number
}

/** What the platform has got of texts that hold a mark. Keys are those of `PlatformGroup`, owners are userids. */
export interface PlatformLedger {
  /** How often it stands in the group, by robot's key or chat id. */
  posts: Record<string, number>
  /** In how many mass tasks a group is, by chat id. */
  tasks: Record<string, number>
  /** How often each different text was sent to a person. */
  inbox: Record<string, Record<string, number>>
  calls: CallCounts
}

export interface CallCounts {
  /** By path. */
  answered: Record<string, number>
  /** Refused for frequency (45009), by path. */
  throttled: Record<string, number>
  /** Messages that the platform let vanish without a word. */
  vanished: number
  /** Posts into groups whose caller hung up before the answer. */
  unanswered: number
  /** The answer went out so shortly before the caller was gone that it may not have been written down. */
  justAnswered: number
}

export type Question =
  | { ask: 'make'; counts: GroupCounts }
  | { ask: 'ledger'; mark: string }
  | { ask: 'calls' }

/** After an answer so much time is given to write it down. */
const TO_RECORD_MS = 250
/** Calls whose fate cannot be asked about. */
const POSTS = ['/cgi-bin/webhook/send', '/cgi-bin/appchat/send']

interface Detour {
  url: string
  unanswered: number
  justAnswered: number
}

async function start(options: PlatformOptions): Promise<void> {
  const sim = await startSimulator({
    clock: systemClock,
    seed: options.seed,
    limits: Object.fromEntries(options.limitsOff.map(name => [name, false])),
    // what is counted is counted as it happens
    logLimit: 1000,
  })
  sim.addWecomApp({ ...options.app, accountCap: 100_000 })
  const counts: Pick<CallCounts, 'answered' | 'throttled' | 'vanished'> = {
    answered: {},
    throttled: {},
    vanished: 0,
  }
  watch(sim, counts)
  const detour = options.latencyMs > 0 ? await openDetour(sim.url, options) : null
  const calls = (): CallCounts => ({
    ...counts,
    unanswered: detour?.unanswered ?? 0,
    justAnswered: detour?.justAnswered ?? 0,
  })
  process.on('message', (message: Question & { number: number }) => {
    void (async () => {
      const { number, ...question } = message
      try {
        process.send?.({ number, answer: await answer(sim, options, question as Question, calls) })
      } catch (error) {
        process.send?.({ number, error: String(error) })
      }
    })()
  })
  process.send?.({ number: 0, answer: { url: `${detour?.url ?? sim.url}/qyapi.weixin.qq.com` } })
}

async function answer(
  sim: Simulator,
  options: PlatformOptions,
  question: Question,
  calls: () => CallCounts,
): Promise<unknown> {
  if (question.ask === 'make') return makeWorld(sim, options, question.counts)
  if (question.ask === 'calls') return calls()
  return { ...ledgerOf(sim, question.mark), calls: calls() }
}

/** Counts from the log, of which only the newest is kept. */
function watch(sim: Simulator, counts: Pick<CallCounts, 'answered' | 'throttled' | 'vanished'>): void {
  const push = sim.log.push.bind(sim.log)
  sim.log.push = entry => {
    if (entry.kind === 'api') {
      const path = String(entry.path)
      counts.answered[path] = (counts.answered[path] ?? 0) + 1
      if (entry.errcode === 45009) counts.throttled[path] = (counts.throttled[path] ?? 0) + 1
    } else if (entry.kind === 'dropped' && entry.reason === 'member frequency') counts.vanished++
    return push(entry)
  }
}

async function makeWorld(
  sim: Simulator,
  { app }: PlatformOptions,
  counts: GroupCounts,
): Promise<PlatformGroup[]> {
  const made: PlatformGroup[] = []
  let number = 0
  const person = () => {
    const userId = `owner${++number}`
    return { userId, id: sim.addPerson({ name: `群主${number}`, wecomUserId: userId }).id }
  }
  for (let at = 0; at < counts.robots; at++) {
    const owner = person()
    const group = sim.createGroup({ kind: 'internal', name: `机器人群${at}`, ownerId: owner.id })
    const key = new URL(sim.addRobot(group.id)).searchParams.get('key') as string
    made.push({ kind: 'robots', key, owner: owner.userId })
  }
  let keeper: ReturnType<typeof person> | null = null
  for (let at = 0; at < counts.customers; at++) {
    if (at % 2 === 0 || keeper === null) keeper = person()
    const group = sim.createGroup({ kind: 'customer', name: `客户群${at}`, ownerId: keeper.id })
    made.push({ kind: 'customers', key: group.id, owner: keeper.userId })
  }
  await makeAppChats(sim, app, counts.appchats, person, made)
  for (let at = 0; at < counts.relayed; at++) made.push({ kind: 'relayed', key: '', owner: person().userId })
  await sim.idle()
  return made
}

/** Groups of an app can only be made by the app itself. */
async function makeAppChats(
  sim: Simulator,
  app: PlatformOptions['app'],
  count: number,
  person: () => { userId: string },
  made: PlatformGroup[],
): Promise<void> {
  if (count === 0) return
  const base = sim.baseUrls.wecom
  const tokenUrl = `${base}/cgi-bin/gettoken?corpid=${app.corpId}&corpsecret=${app.secret}`
  const { access_token: token } = (await (await fetch(tokenUrl)).json()) as { access_token: string }
  for (let at = 0; at < count; at++) {
    const [owner, other] = [person(), person()]
    const response = await fetch(`${base}/cgi-bin/appchat/create?access_token=${token}`, {
      method: 'POST',
      body: JSON.stringify({
        name: `应用群${at}`,
        owner: owner.userId,
        userlist: [owner.userId, other.userId],
        chatid: `chaos${at}`,
      }),
    })
    const { errcode, chatid } = (await response.json()) as { errcode: number; chatid: string }
    if (errcode !== 0) throw new Error(`appchat/create: ${errcode}`)
    made.push({ kind: 'appchats', key: chatid, owner: owner.userId })
  }
}

function ledgerOf(sim: Simulator, mark: string): Omit<PlatformLedger, 'calls'> {
  const posts: Record<string, number> = {}
  for (const group of sim.groups()) {
    const count = group.posts.filter(post => post.text.includes(mark)).length
    if (count > 0) for (const key of group.kind === 'internal' ? group.robots : [group.id]) posts[key] = count
  }
  const tasks: Record<string, number> = {}
  const inbox: Record<string, Record<string, number>> = {}
  for (const { id, wecomUserId } of sim.persons()) {
    for (const task of sim.massTasks(id))
      if (task.text.includes(mark))
        for (const target of task.targets) tasks[target.id] = (tasks[target.id] ?? 0) + 1
    const texts: Record<string, number> = {}
    for (const { text } of sim.inbox(id)) texts[text] = (texts[text] ?? 0) + 1
    if (Object.keys(texts).length > 0) inbox[wecomUserId as string] = texts
  }
  return { posts, tasks, inbox }
}

/** Stands before the simulator as a network does: calls take their time, and are carried out whether or not the caller lives. */
async function openDetour(simUrl: string, { latencyMs, seed }: PlatformOptions): Promise<Detour> {
  const luck = chance(seed)
  const pause = () => new Promise(done => setTimeout(done, luck.next() * latencyMs))
  const detour: Detour = { url: '', unanswered: 0, justAnswered: 0 }
  /** The newest post that came in by each connection, and when it was answered. */
  const newest = new Map<Socket, { answeredAt: number | null }>()
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const isPost = POSTS.some(path => request.url?.includes(path))
      const call = { answeredAt: null as number | null }
      if (isPost) newest.set(request.socket, call)
      else newest.delete(request.socket)
      await pause()
      const answered = await fetch(`${simUrl}${request.url}`, {
        method: request.method ?? 'GET',
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      })
      const text = await answered.text()
      await pause()
      call.answeredAt = performance.now()
      response.writeHead(answered.status, { 'content-type': 'application/json; charset=UTF-8' })
      response.end(text)
    })().catch(() => response.destroy())
  })
  server.on('connection', socket => {
    socket.on('error', () => {})
    socket.on('close', () => {
      const call = newest.get(socket)
      newest.delete(socket)
      if (call === undefined) return
      if (call.answeredAt === null) detour.unanswered++
      else if (performance.now() - call.answeredAt < TO_RECORD_MS) detour.justAnswered++
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  detour.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return detour
}

if (import.meta.main) {
  process.once('disconnect', () => process.exit(0))
  await start(JSON.parse(process.argv[2] ?? '{}') as PlatformOptions)
}
