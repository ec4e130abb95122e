import http from 'node:http'
import https from 'node:https'
import { type Channel, openReply, type PassiveFields, type PushFormat, seal, sealEcho } from './channel.ts'
import type { Core } from './core.ts'
import { unixSeconds } from './core.ts'
import type { XmlFields } from './xml.ts'

const TRIES = 3
const MAX_ANSWER_BYTES = 1024 * 1024
const HELD_BACK_MS = 150

export interface Callback {
  channel: Channel
  fields: XmlFields
  /** Callbacks with the same lane reach the server one after the other, unless `reorder-callbacks` is on. */
  lane?: string
}

export interface CallbackOutcome {
  /** The server answered well at least once. */
  arrived: boolean
  /** At least one answer could not be used, or all tries failed: what an Official Account shows its follower. */
  failed: boolean
  replies: PassiveFields[]
}

export interface CallbackSender {
  send(callback: Callback): Promise<CallbackOutcome>
  /** The GET with echostr. */
  verify(channel: Channel): Promise<boolean>
  /** Runs `work` after `ms` of real time; idle() waits for it. */
  later(ms: number, work: () => Promise<unknown>): void
  idle(): Promise<void>
  stop(): void
}

interface Answer {
  status: number
  body: string
}

/** Speaks HTTP to the server under test: keep-alive, a strict deadline, tries, and the callback faults. */
export function createCallbackSender(core: Core): CallbackSender {
  const { options } = core
  const postTimeout = options.callbackTimeoutMs ?? 5000
  const concurrency = options.callbackConcurrency ?? 64
  const agents = {
    'http:': new http.Agent({
      keepAlive: true,
      maxSockets: Number.POSITIVE_INFINITY,
      maxFreeSockets: concurrency,
    }),
    'https:': new https.Agent({ keepAlive: true, maxFreeSockets: concurrency }),
  }
  const lanes = new Map<string, Promise<unknown>>()
  const waiting: (() => void)[] = []
  const idlers: (() => void)[] = []
  const timers = new Map<NodeJS.Timeout, () => void>()
  let running = 0
  let pending = 0
  let stopped = false

  /** Keeps the count that idle() waits on. */
  async function track<T>(work: () => Promise<T>): Promise<T> {
    pending += 1
    try {
      return await work()
    } finally {
      pending -= 1
      if (pending === 0) for (const resolve of idlers.splice(0)) resolve()
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        resolve()
      }, ms)
      timers.set(timer, resolve)
    })
  }

  // the deadline begins only when the request really goes out, so waiting for a free place is kept apart from it
  async function withPlace<T>(work: () => Promise<T>): Promise<T> {
    if (running < concurrency) running += 1
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // the place goes straight to who waits longest, so no newcomer takes it in between
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  function exchange(
    method: string,
    url: URL,
    content: { body: string; contentType: string } | undefined,
    timeout: number,
  ): Promise<Answer> {
    const secure = url.protocol === 'https:'
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(url, {
        method,
        agent: secure ? agents['https:'] : agents['http:'],
        headers:
          content === undefined
            ? { 'user-agent': 'Mozilla/4.0' }
            : {
                'user-agent': 'Mozilla/4.0',
                'content-type': content.contentType,
                'content-length': Buffer.byteLength(content.body),
              },
      })
      const timer = setTimeout(() => request.destroy(new Error('timeout')), timeout)
      const fail = (error: Error) => {
        clearTimeout(timer)
        reject(error)
      }
      request.on('error', fail)
      request.on('response', response => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > MAX_ANSWER_BYTES) request.destroy(new Error('answer too large'))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () => {
          clearTimeout(timer)
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
        })
      })
      request.end(content?.body)
    })
  }

  /** One callback with its tries; every try is the same request, as a retry of the platform is. */
  async function deliver(callback: Callback, label: string, outcome: CallbackOutcome): Promise<void> {
    const { channel, fields } = callback
    if (channel.url === undefined) return
    const url = new URL(channel.url)
    const timestamp = String(unixSeconds(core.clock.now()))
    const format = formatOf(core, channel)
    const envelope = seal(channel, fields, timestamp, core.ids.letters(10), format)
    for (const [name, value] of envelope.query) url.searchParams.set(name, value)
    for (let attempt = 1; attempt <= TRIES && !stopped; attempt += 1) {
      const began = performance.now()
      const log = (status: number | string) =>
        core.log.add('callback', {
          which: channel.which,
          label,
          try: attempt,
          status,
          ms: Math.round(performance.now() - began),
          ...(fields.MsgId === undefined ? {} : { msgId: String(fields.MsgId) }),
        })
      let answer: Answer
      try {
        answer = await withPlace(() => exchange('POST', url, envelope, postTimeout))
      } catch (error) {
        log(error instanceof Error ? error.message : 'failed')
        continue
      }
      log(answer.status)
      if (answer.status !== 200) {
        if (options.retryNon200 !== false) continue
        outcome.failed = true
        return
      }
      outcome.arrived = true
      try {
        const reply = openReply(channel, answer.body, fields, format)
        if (reply) outcome.replies.push(reply)
      } catch (error) {
        outcome.failed = true
        core.log.add('bad_reply', {
          which: channel.which,
          label,
          reason: error instanceof Error ? error.message : 'unreadable',
        })
      }
      return
    }
    outcome.failed = true
    if (!stopped) core.log.add('callback_lost', { which: channel.which, label })
  }

  async function run(callback: Callback, label: string): Promise<CallbackOutcome> {
    const outcome: CallbackOutcome = { arrived: false, failed: false, replies: [] }
    const dropped = core.faults.strikes('drop-callbacks', label) !== undefined
    if (dropped || callback.channel.url === undefined || stopped) {
      const reason = dropped ? 'drop-callbacks' : 'no callback url'
      core.log.add('dropped', { what: 'callback', which: callback.channel.which, label, reason })
      return outcome
    }
    const held = core.faults.strikes('reorder-callbacks', label)
    const twice = core.faults.strikes('duplicate-callbacks', label) !== undefined
    const work = async () => {
      if (held) await pause(held.ms ?? HELD_BACK_MS)
      await deliver(callback, label, outcome)
      if (twice) await deliver(callback, label, outcome)
    }
    // a callback that is held back gives up its place in the lane, so that later ones overtake it
    if (callback.lane === undefined || held) await work()
    else {
      const lane = callback.lane
      const turn = (lanes.get(lane) ?? Promise.resolve()).then(work)
      const settled = turn.catch(() => undefined)
      lanes.set(lane, settled)
      await turn
      if (lanes.get(lane) === settled) lanes.delete(lane)
    }
    return outcome
  }

  return {
    send: callback => track(() => run(callback, labelOf(callback))),
    verify: channel =>
      track(async () => {
        if (channel.url === undefined) return false
        const echo = core.ids.bigNumber()
        const url = new URL(channel.url)
        const timestamp = String(unixSeconds(core.clock.now()))
        for (const [name, value] of sealEcho(channel, echo, timestamp, core.ids.letters(10))) {
          url.searchParams.set(name, value)
        }
        let status: number | string
        let verified = false
        const began = performance.now()
        try {
          const answer = await exchange('GET', url, undefined, options.verifyTimeoutMs ?? 1000)
          status = answer.status
          verified = answer.status === 200 && answer.body === echo
        } catch (error) {
          status = error instanceof Error ? error.message : 'failed'
        }
        core.log.add('verify', {
          which: channel.which,
          status,
          verified,
          ms: Math.round(performance.now() - began),
        })
        return verified
      }),
    later(ms, work) {
      void track(async () => {
        await pause(ms)
        if (!stopped) await work()
      }).catch(error => core.log.add('error', { where: 'later', message: String(error) }))
    },
    idle: () => (pending === 0 ? Promise.resolve() : new Promise(resolve => idlers.push(resolve))),
    stop() {
      stopped = true
      for (const [timer, resolve] of timers) {
        clearTimeout(timer)
        resolve()
      }
      timers.clear()
      agents['http:'].destroy()
      agents['https:'].destroy()
    },
  }
}

/** `wecom/text`, `wecom/event/change_external_chat/update` and the like: what faults and the log call a callback. */
function labelOf({ channel, fields }: Callback): string {
  return [channel.which, fields.MsgType, fields.Event, fields.ChangeType]
    .filter(part => part !== undefined)
    .join('/')
}

/** Read anew each time, as the console's setting is. */
function formatOf(core: Core, channel: Channel): PushFormat {
  return core.accounts.find(account => account.channel === channel)?.pushFormat ?? 'xml'
}
