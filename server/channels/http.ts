import type { ChannelName } from './channel.ts'
import { ChannelError, type ChannelErrorCode } from './errors.ts'

/** One call to a platform, for operators to see. Holds neither tokens nor texts nor names. */
export interface CallTrace {
  channel: ChannelName
  /** The path without its query. */
  call: string
  /** The platform's code; null when no answer came. */
  errcode: number | null
  message: string | null
  tookMs: number
}

export interface PlatformHttp {
  channel: ChannelName
  baseUrl: string
  trace(entry: CallTrace): void
  /** What the platform's code means for us. Codes that are not listed are `rejected`. */
  codes: ReadonlyMap<number, ChannelErrorCode>
}

export interface PlatformCall {
  path: string
  query?: Record<string, string>
  /** Sent as JSON with POST; GET when absent. */
  body?: unknown
  /** A call that may be repeated without harm: a lost answer is then simply `unreachable`, not uncertain. */
  isSafe?: boolean
}

export type PlatformAnswer = Record<string, unknown>

const TIMEOUT_MS = 10_000

/**
 * Calls a platform and reads `errcode` even in an HTTP 200 answer.
 * @throws ChannelError
 */
export async function callPlatform(http: PlatformHttp, call: PlatformCall): Promise<PlatformAnswer> {
  const started = performance.now()
  const trace = (errcode: number | null, message: string | null) =>
    http.trace({
      channel: http.channel,
      call: call.path,
      errcode,
      message,
      tookMs: Math.round(performance.now() - started),
    })
  const url = `${http.baseUrl}${call.path}${call.query ? `?${new URLSearchParams(call.query)}` : ''}`
  let status: number
  let text: string
  try {
    const response = await fetch(url, {
      method: call.body === undefined ? 'GET' : 'POST',
      ...(call.body === undefined
        ? {}
        : {
            body: JSON.stringify(call.body),
            headers: { 'content-type': 'application/json; charset=utf-8' },
          }),
      // a redirect would carry the token to another address
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    status = response.status
    text = await response.text()
  } catch (error) {
    const refused = isConnectionRefused(error)
    trace(null, refused ? 'no connection' : 'no answer')
    // the message of a failed fetch names the URL, which holds the token: it goes no further
    throw new ChannelError('unreachable', '平台没有应答', { isUncertain: !refused && !call.isSafe })
  }
  if (status >= 500) {
    trace(null, `HTTP ${status}`)
    throw new ChannelError('unreachable', `平台暂时出错（HTTP ${status}）`, { isUncertain: !call.isSafe })
  }
  const answer = parseAnswer(text)
  const errcode = Number(answer?.errcode ?? 0)
  if (!answer || !Number.isInteger(errcode) || (status !== 200 && errcode === 0)) {
    // a proxy or a wrong address answers, not the platform: anything but 200 means that nothing has been done
    trace(null, `HTTP ${status}, not the platform's form`)
    throw new ChannelError('unreachable', `平台的应答无法识别（HTTP ${status}）`, {
      isUncertain: status === 200 && !call.isSafe,
    })
  }
  const message = typeof answer.errmsg === 'string' ? redact(answer.errmsg) : null
  trace(errcode, message)
  if (errcode !== 0) {
    const reason = http.codes.get(errcode) ?? 'rejected'
    throw new ChannelError(reason, `平台拒绝（${errcode}${message ? ` ${message}` : ''}）`, {
      platformCode: errcode,
    })
  }
  return answer
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

/** errmsg may carry our address and a link with a query: only its first words are kept. */
function redact(message: string): string {
  return (
    message
      .split(', hint')[0]
      ?.replace(/https?:\S+/g, '…')
      .slice(0, 120) ?? ''
  )
}

/** Codes of a connection that never came about: the request has not been carried out. */
const neverConnected = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

function isConnectionRefused(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && neverConnected.has(String(at.code))) return true
  return false
}
