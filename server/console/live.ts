import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { describeError } from '../../db/errors.ts'
import type { Policy } from '../domain/access/policy.ts'
import type { Html } from '../http/html.ts'
import type { Runtime } from '../runtime.ts'
import type { Answer, View } from './routes.ts'
import { viewerOfRequest } from './session.ts'

/** How often the database is asked whether something has changed. */
const POLL_MS = 1500
/** Proxies close a connection on which nothing is said for long. */
const HEARTBEAT_POLLS = Math.round(20_000 / POLL_MS)
/** A page that is left open is not served for ever; it can be loaded again. */
const MAX_POLLS = Math.round((30 * 60_000) / POLL_MS)
/** Pages that one session may have open at once: the one opened first gives way. */
const MAX_OF_A_SESSION = 8
/** What a reader who does not read may have waiting for them. */
const MAX_WAITING_BYTES = 256 * 1024

/** A part of a page as it is now. */
export interface LiveState {
  content: Html
  /** Nothing more will change. */
  isDone: boolean
}

interface Reader {
  sessionId: number
  /** The version of what their page shows. */
  seen: string
  polls: number
  isOpen: boolean
  mayRead(): Promise<boolean>
  send(text: string): void
  /** @param isFinal the page is not to come back for more */
  end(isFinal: boolean): void
}

interface Feed {
  readers: Set<Reader>
  read(): Promise<LiveState>
}

interface Hub {
  feeds: Map<string, Feed>
  readers: Set<Reader>
}

const hubs = new WeakMap<Runtime, Hub>()

function hubOf(rt: Runtime): Hub {
  const hub = hubs.get(rt) ?? { feeds: new Map(), readers: new Set() }
  hubs.set(rt, hub)
  return hub
}

/** Tells versions of a part of a page apart: goes into the address that the page listens at (`?seen=`). */
export function versionOf(content: Html): string {
  return createHash('sha256').update(content.text).digest('base64url').slice(0, 12)
}

/**
 * Keeps a part of a page up to date by server-sent events: `progress` with its HTML whenever it has changed, `done` when
 * nothing more will come (the page then stops listening; it comes back by itself after a restart of the server).
 *
 * Whoever listens to the same feed shares one reading of the database; each is asked again every time whether the session
 * and the right to the thing still stand.
 * @param feed.key names what is read, with the part of it that is seen
 * @param feed.isSame whether the thing found again is seen in the same part
 */
export async function streamLive<Thing>(
  view: View<Thing>,
  policy: Policy<Thing>,
  feed: { key: string; read(): Promise<LiveState>; isSame(thing: Thing): boolean },
): Promise<Answer> {
  const { rt, request, reply, viewer } = view
  // somebody who opens the address by itself gets the part as it is now
  if (!request.headers.accept?.includes('text/event-stream')) return (await feed.read()).content
  const { seen = '' } = request.query as { seen?: string }
  const id = Number((request.params as Record<string, string>)[policy.param])
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...reply.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    // a proxy that collects the answer would keep it from the page
    'x-accel-buffering': 'no',
  } as Record<string, string>)
  raw.write('retry: 3000\n\n')
  const reader: Reader = {
    sessionId: viewer.sessionId,
    seen: String(seen),
    polls: 0,
    isOpen: true,
    async mayRead() {
      const signedIn = await viewerOfRequest(rt, request)
      if (!signedIn) return false
      const thing = await policy.find(rt, signedIn.viewer, id)
      return thing !== null && feed.isSame(thing)
    },
    send(text) {
      if (!reader.isOpen) return
      if (raw.writableLength > MAX_WAITING_BYTES) reader.end(false)
      else raw.write(text)
    },
    end(isFinal) {
      if (!reader.isOpen) return
      leave(rt, feed.key, reader)
      raw.end(isFinal ? eventOf('done', 'done') : undefined)
    },
  }
  raw.on('close', () => leave(rt, feed.key, reader))
  raw.on('error', () => leave(rt, feed.key, reader))
  enter(rt, feed, reader)
  return reply
}

/** Ends every stream of a server that stops: it would wait for them for ever. */
export function endLiveStreams(rt: Runtime): void {
  for (const reader of [...hubOf(rt).readers]) reader.end(false)
}

function enter(
  rt: Runtime,
  { key, read }: { key: string; read(): Promise<LiveState> },
  reader: Reader,
): void {
  const hub = hubOf(rt)
  const ofSession = [...hub.readers].filter(each => each.sessionId === reader.sessionId)
  if (ofSession.length >= MAX_OF_A_SESSION) ofSession[0]?.end(true)
  hub.readers.add(reader)
  const standing = hub.feeds.get(key)
  if (standing) {
    standing.readers.add(reader)
    return
  }
  const feed = { readers: new Set([reader]), read }
  hub.feeds.set(key, feed)
  void run(rt, key, feed)
}

function leave(rt: Runtime, key: string, reader: Reader): void {
  reader.isOpen = false
  const hub = hubOf(rt)
  hub.readers.delete(reader)
  hub.feeds.get(key)?.readers.delete(reader)
}

/** Reads while there is anybody to read for. */
async function run(rt: Runtime, key: string, feed: Feed): Promise<void> {
  while (feed.readers.size > 0) {
    try {
      await pollOnce(feed)
    } catch (error) {
      // the database may be away for a moment; the page shows what it had
      rt.log.warn({ feed: key, ...describeError(error) }, 'a live page could not be read')
    }
    await pause(POLL_MS, undefined, { ref: false })
  }
  hubOf(rt).feeds.delete(key)
}

async function pollOnce(feed: Feed): Promise<void> {
  const state = await feed.read()
  const version = versionOf(state.content)
  await Promise.all(
    [...feed.readers].map(async reader => {
      if (!(await reader.mayRead())) return reader.end(true)
      reader.polls++
      if (reader.seen !== version) {
        reader.seen = version
        reader.send(eventOf('progress', state.content.text))
      } else if (reader.polls % HEARTBEAT_POLLS === 0) reader.send(': still here\n\n')
      if (state.isDone || reader.polls >= MAX_POLLS) reader.end(true)
    }),
  )
}

function eventOf(name: string, text: string): string {
  return `event: ${name}\n${text
    .split('\n')
    .map(line => `data: ${line}\n`)
    .join('')}\n`
}
