import { connect, type Socket } from 'node:net'
import type { Manner } from './http-oddities.ts'
import { readResponse, type WireResponse } from './http-response.ts'
import { sleep } from './server-process.ts'

/** What came back: a response, or none because the server closed the connection or kept silent. */
export type Outcome = WireResponse | 'hung up' | 'silent'

/** The platforms wait for five seconds; whoever takes three times as long has hung. */
const ANSWER_LIMIT_MS = 15_000
/** How long a request that is not HTTP is given to be answered. */
const BROKEN_LIMIT_MS = 500

/** A kept connection to the server, opened again whenever the server closes it. */
export class Line {
  private readonly port: number
  private socket: Socket | null = null
  constructor(port: number) {
    this.port = port
  }

  /**
   * Sends requests in one write and waits for all their answers, in order.
   * @param heads for each request whether it is a HEAD
   * @throws Error when what comes back is not HTTP, or more than was asked for
   */
  async exchange(bytes: Buffer, heads: boolean[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    const socket = this.socket ?? (await open(this.port))
    this.socket = socket
    try {
      let rest: Buffer = Buffer.alloc(0)
      socket.write(bytes)
      while (outcomes.length < heads.length) {
        const found = readResponse(rest, heads[outcomes.length] as boolean)
        if (found) {
          outcomes.push(found.response)
          rest = found.rest
          if (found.response.isLast) break
          continue
        }
        const chunk = await nextChunk(socket, ANSWER_LIMIT_MS)
        if (typeof chunk === 'string') {
          if (rest.length > 0) throw new Error(`${chunk} in the middle of a response`)
          outcomes.push(chunk)
          break
        }
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      }
      if (rest.length > 0) throw new Error(`more than was asked for: ${excerpt(rest)}`)
    } finally {
      const last = outcomes.at(-1)
      if (last === undefined || typeof last === 'string' || last.isLast) this.close()
    }
    while (outcomes.length < heads.length) outcomes.push('hung up')
    return outcomes
  }

  close(): void {
    this.socket?.destroy()
    this.socket = null
  }
}

/**
 * Sends a request on a connection of its own.
 * @throws Error when what comes back is not HTTP
 */
export async function exchangeAlone(
  port: number,
  bytes: Buffer,
  manner: Manner,
  isHead: boolean,
): Promise<Outcome> {
  const socket = await open(port)
  try {
    if (manner.kind === 'cut') {
      socket.write(bytes.subarray(0, manner.at))
      if (manner.waitMs > 0) await sleep(manner.waitMs)
      else await new Promise(done => setImmediate(done))
      return 'hung up'
    }
    if (manner.kind === 'slow') {
      const size = Math.ceil(bytes.length / manner.pieces)
      for (let at = 0; at < bytes.length; at += size) {
        if (at > 0) await sleep(manner.pauseMs)
        socket.write(bytes.subarray(at, at + size))
      }
    } else socket.write(bytes)
    const limit = manner.kind === 'alone' ? BROKEN_LIMIT_MS : ANSWER_LIMIT_MS
    let rest: Buffer = Buffer.alloc(0)
    for (;;) {
      const found = readResponse(rest, isHead)
      if (found) return found.response
      // an answer that has begun is waited for
      const chunk = await nextChunk(socket, rest.length > 0 ? ANSWER_LIMIT_MS : limit)
      if (typeof chunk === 'string') {
        // a connection that is reset may lose the end of what was written to it
        if (rest.length > 0 && chunk === 'silent') throw new Error('silent in the middle of a response')
        return chunk
      }
      rest = Buffer.concat([rest, chunk])
    }
  } finally {
    socket.destroy()
  }
}

export function excerpt(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 300).toString('latin1'))
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  // what goes wrong shows as the end of the connection
  socket.on('error', () => {})
  await new Promise<void>((done, fail) => {
    socket.once('connect', done)
    socket.once('close', () => fail(new Error('the server takes no connection')))
  })
  socket.removeAllListeners('close')
  socket.pause()
  return socket
}

async function nextChunk(socket: Socket, limitMs: number): Promise<Buffer | 'hung up' | 'silent'> {
  const ready = socket.read() as Buffer | null
  if (ready !== null) return ready
  if (socket.readableEnded || socket.destroyed) return 'hung up'
  return new Promise(done => {
    const settle = (result: Buffer | 'hung up' | 'silent') => {
      clearTimeout(timer)
      socket.off('readable', look)
      socket.off('end', gone)
      socket.off('close', gone)
      done(result)
    }
    const look = () => {
      const chunk = socket.read() as Buffer | null
      if (chunk !== null) settle(chunk)
    }
    const gone = () => settle('hung up')
    const timer = setTimeout(() => settle('silent'), limitMs)
    socket.on('readable', look)
    socket.on('end', gone)
    socket.on('close', gone)
  })
}
