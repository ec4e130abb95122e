import { randomUUID } from 'node:crypto'
import plain, { type IncomingMessage, type RequestOptions } from 'node:http'
import encrypted from 'node:https'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelName } from './channel.ts'
import { ChannelError, type ChannelErrorCode } from './errors.ts'

/** One call to a platform, for operators to see. Holds neither tokens nor texts nor names. */
export interface CallTrace {
  channel: ChannelName | 'wechat-pay'
  /** The path without its query. */
  call: string
  /** The platform's code; null when no answer came. */
  errcode: number | null
  /** In our words, why there is no code. The platform's own may quote who was written to and what. */
  message: string | null
  tookMs: number
}

export interface PlatformHttp {
  channel: ChannelName
  baseUrl: string
  trace(entry: CallTrace): void
  /** Waited for right before a request leaves that must not be repeated. */
  beforeCall?: (() => Promise<void>) | undefined
  /** What the platform's code means for us. Codes that are not listed are `rejected`. */
  codes: ReadonlyMap<number, ChannelErrorCode>
}

export interface PlatformCall {
  path: string
  query?: Record<string, string>
  /** Sent as JSON with POST; GET when absent. */
  body?: unknown
  /** Sent as multipart/form-data instead of a body. */
  file?: UploadFile
  /**
   * A call that may be repeated without harm: a lost answer is then simply `unreachable`, not uncertain, and "system
   * busy" (-1) is tried again a little later.
   */
  isSafe?: boolean
}

/** A file on its way to a platform: the part named `field` of the form. */
export interface UploadFile {
  field: string
  fileName: string
  bytes: Uint8Array
}

/** What a platform hands out that is not JSON. */
export interface DownloadedFile {
  bytes: Buffer
  contentType: string
  /** From Content-Disposition; empty where it names none. */
  fileName: string
}

export type PlatformAnswer = Record<string, unknown>

const TIMEOUT_MS = 10_000
/** Twenty megabytes over a slow line. */
const FILE_TIMEOUT_MS = 60_000
/** Far beyond any page of a list; files have limits of their own. */
const MAX_ANSWER_BYTES = 5 * 1_048_576
/** Both platforms' "system busy": nothing was done, and the same call soon succeeds. */
const BUSY = -1
const BUSY_DELAYS_MS = [100, 300, 900]

/**
 * Calls a platform and reads `errcode` even in an HTTP 200 answer.
 * @throws ChannelError
 */
export async function callPlatform(http: PlatformHttp, call: PlatformCall): Promise<PlatformAnswer> {
  for (const delay of call.isSafe ? BUSY_DELAYS_MS : []) {
    try {
      return await callOnce(http, call)
    } catch (error) {
      if (!(error instanceof ChannelError && error.platformCode === BUSY)) throw error
      await sleep(delay)
    }
  }
  return callOnce(http, call)
}

async function callOnce(http: PlatformHttp, call: PlatformCall): Promise<PlatformAnswer> {
  const trace = startTrace(http, call)
  const isSafe = call.isSafe ?? false
  if (!isSafe) await http.beforeCall?.()
  const { status, bytes } = await exchange(http, call, trace, async response => ({
    status: response.statusCode ?? 0,
    bytes: await readUpTo(response, MAX_ANSWER_BYTES),
  }))
  if (bytes === null) {
    trace(null, 'answer too large')
    throw new ChannelError('unreachable', '平台的应答过大', { isUncertain: status === 200 && !isSafe })
  }
  return readAnswer(http, trace, status, bytes.toString('utf8'), isSafe)
}

/**
 * Fetches a file from a platform, which answers with JSON where it refuses.
 * @param maxBytes beyond it the transfer is broken off
 * @throws ChannelError; `rejected` when the file is larger than `maxBytes`
 */
export async function fetchPlatformFile(
  http: PlatformHttp,
  call: Pick<PlatformCall, 'path' | 'query'>,
  maxBytes: number,
): Promise<DownloadedFile> {
  const trace = startTrace(http, call)
  const { status, headers, bytes } = await exchange(
    http,
    { ...call, isSafe: true },
    trace,
    async response => ({
      status: response.statusCode ?? 0,
      headers: response.headers,
      bytes: await readUpTo(response, maxBytes),
    }),
  )
  const contentType = headers['content-type'] ?? ''
  if (bytes === null) {
    trace(null, 'file too large')
    throw new ChannelError('rejected', `文件超过 ${Math.floor(maxBytes / 1_048_576)} MB，没有取回`)
  }
  const disposition = headers['content-disposition'] ?? ''
  // a text file is text/plain as well, but it comes with a name
  if (status !== 200 || (disposition === '' && /^(application\/json|text\/plain)/.test(contentType))) {
    readAnswer(http, trace, status, bytes.toString('utf8'), true)
    throw new ChannelError('unreachable', '平台的应答里没有文件')
  }
  trace(0, null)
  return { bytes, contentType, fileName: fileNameOf(disposition) }
}

type Trace = (errcode: number | null, message: string | null) => void

function startTrace(http: PlatformHttp, call: Pick<PlatformCall, 'path'>): Trace {
  const started = performance.now()
  return (errcode, message) =>
    http.trace({
      channel: http.channel,
      call: call.path,
      errcode,
      message,
      tookMs: Math.round(performance.now() - started),
    })
}

/** One request; `read` takes what is needed of the response, so that a body which breaks off counts as no answer. */
async function exchange<T extends { status: number }>(
  http: PlatformHttp,
  call: PlatformCall,
  trace: Trace,
  read: (response: IncomingMessage) => Promise<T>,
): Promise<T> {
  const url = `${http.baseUrl}${call.path}${call.query ? `?${new URLSearchParams(call.query)}` : ''}`
  let result: T
  try {
    result = await read(await request(url, call))
  } catch (error) {
    const refused = isConnectionRefused(error)
    trace(null, refused ? 'no connection' : 'no answer')
    // the message of a failed request may name the address and the token: it goes no further
    throw new ChannelError('unreachable', '平台没有应答', { isUncertain: !refused && !call.isSafe })
  }
  if (result.status >= 500) {
    trace(null, `HTTP ${result.status}`)
    throw new ChannelError('unreachable', `平台暂时出错（HTTP ${result.status}）`, {
      isUncertain: !call.isSafe,
    })
  }
  return result
}

/** As long as a connection is kept that nobody uses: shorter than the platforms keep it, so that none is used that they end. */
const IDLE_MS = 4000
const kept = { keepAlive: true, timeout: IDLE_MS }
const clients = {
  'http:': { module: plain, agent: new plain.Agent(kept) },
  'https:': { module: encrypted, agent: new encrypted.Agent(kept) },
}

/**
 * Less than half of what `fetch` costs for a small call (measured: 0.3 ms of CPU, 0.7), and sending is made of small calls.
 * No redirect is followed: it would
 * carry the token to another address.
 */
function request(address: string, call: PlatformCall): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const url = new URL(address)
    const client = clients[url.protocol as keyof typeof clients]
    if (!client) throw new TypeError(`not an address of a platform: ${url.protocol}`)
    const { body, ...options } = requestOf(call)
    const signal = AbortSignal.timeout(call.file ? FILE_TIMEOUT_MS : TIMEOUT_MS)
    client.module
      .request(url, { ...options, agent: client.agent, signal })
      .on('response', done)
      .on('error', fail)
      .on('close', () => fail(new Error('closed without an answer')))
      .end(body)
  })
}

function requestOf(call: PlatformCall): RequestOptions & { body?: string | Uint8Array } {
  if (call.file) {
    const boundary = `----${randomUUID()}`
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    return { method: 'POST', body: formBody(boundary, call.file), headers }
  }
  if (call.body === undefined) return { method: 'GET' }
  // JSON.stringify writes UTF-8 as it is: WeCom refuses \uXXXX
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  return { method: 'POST', body: JSON.stringify(call.body), headers }
}

/** Written by hand: WeCom wants the file's length in the part's head, which FormData does not give. */
function formBody(boundary: string, file: UploadFile): Uint8Array<ArrayBuffer> {
  const name = file.fileName.replaceAll(/[\r\n"]/g, '_')
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="${file.field}"; filename="${name}"; ` +
    `filelength=${file.bytes.length}\r\nContent-Type: application/octet-stream\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'utf8'), file.bytes, Buffer.from(`\r\n--${boundary}--\r\n`)])
}

/** @returns null when there is more than `maxBytes` */
function readUpTo(response: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = []
    let size = 0
    response
      .on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= maxBytes) chunks.push(chunk)
        else {
          done(null)
          response.destroy()
        }
      })
      .on('end', () => done(Buffer.concat(chunks)))
      .on('error', fail)
      .on('close', () => fail(new Error('closed within the answer')))
  })
}

function fileNameOf(disposition: string): string {
  const encoded = /filename\*=(?:utf-8|UTF-8)''([^;]+)/.exec(disposition)?.[1]
  if (encoded !== undefined) {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  }
  // headers come in as latin-1 although the platforms write UTF-8
  return Buffer.from(/filename="?([^";]+)"?/.exec(disposition)?.[1] ?? '', 'latin1').toString('utf8')
}

function readAnswer(
  http: PlatformHttp,
  trace: Trace,
  status: number,
  text: string,
  isSafe: boolean,
): PlatformAnswer {
  const answer = parseAnswer(text)
  const errcode = Number(answer?.errcode ?? 0)
  if (!answer || !Number.isInteger(errcode) || (status !== 200 && errcode === 0)) {
    // a proxy or a wrong address answers, not the platform: anything but 200 means that nothing has been done
    trace(null, `HTTP ${status}, not the platform's form`)
    throw new ChannelError('unreachable', `平台的应答无法识别（HTTP ${status}）`, {
      isUncertain: status === 200 && !isSafe,
    })
  }
  trace(errcode, null)
  if (errcode !== 0) {
    const reason = http.codes.get(errcode) ?? 'rejected'
    throw new ChannelError(reason, `平台拒绝（${errcode}）`, {
      platformCode: errcode,
      seenAddress: addressRefused.has(errcode) ? seenAddressIn(answer.errmsg) : null,
    })
  }
  return answer
}

/** Both platforms' codes that refuse the address that we call from; others name it in passing. */
const addressRefused: ReadonlySet<number> = new Set([60020, 40164, 89503, 89506, 89507])

/**
 * The address in the platform's words: `… from ip: 1.2.3.4, …` of WeCom, `invalid ip 1.2.3.4 ipv6 …` of the Official
 * Account. Nothing else of the words is kept: they may quote who was written to and what.
 */
function seenAddressIn(message: unknown): string | null {
  const [, address] = /\b(?:from ip:|invalid ip) ?([\da-f.:]{3,45})\b/i.exec(String(message ?? '')) ?? []
  return address !== undefined && isIP(address) !== 0 ? address : null
}

/** JSON whose integers beyond 2^53 become strings: 64-bit message ids do not fit a JavaScript number. */
function parseAnswer(text: string): PlatformAnswer | null {
  try {
    const value: unknown = JSON.parse(text, (_key, value, context?: { source: string }) =>
      typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
        ? context?.source
        : value,
    )
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as PlatformAnswer)
      : null
  } catch {
    return null
  }
}

/** Codes of a connection that never came about: the request has not been carried out. */
const neverConnected = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])

/** Nothing is asked before the other side has shown who it is. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const badCertificate =
  /^(CERT_|ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CRL_|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/

function isConnectionRefused(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && (neverConnected.has(String(at.code)) || badCertificate.test(String(at.code))))
      return true
  return false
}
