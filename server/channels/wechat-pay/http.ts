import plain, { type IncomingHttpHeaders } from 'node:http'
import encrypted from 'node:https'
import { ChannelError } from '../errors.ts'

const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 1_048_576

export interface PayCallTrace {
  /** The path without the numbers in it. */
  call: string
  /** null when no answer came. */
  status: number | null
  tookMs: number
}

export interface PayRequest {
  method: 'GET' | 'POST'
  path: string
  /** Exactly what was signed; '' for none. */
  body: string
  headers: Record<string, string>
}

export interface PayAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** As text, and as the bytes that a file is. */
  body: string
  bytes: Buffer
}

/**
 * One exchange. The library's own HTTP waits for ever, writes the body anew from the object that was signed, and gives
 * neither the answer's raw body nor its headers, which its signature is over.
 * @throws ChannelError `unreachable`; `isUncertain` unless no connection came about
 */
export function requestPay(
  baseUrl: string,
  { method, path, body, headers }: PayRequest,
  trace: (entry: PayCallTrace) => void,
): Promise<PayAnswer> {
  const started = performance.now()
  const told = (status: number | null) =>
    trace({
      call: path.replace(/\/[0-9A-Za-z]*\d[0-9A-Za-z]*(?=\/|\?|$)/g, '/…').replace(/\?.*$/, ''),
      status,
      tookMs: Math.round(performance.now() - started),
    })
  return new Promise((done, fail) => {
    const lost = (error: Error) => {
      told(null)
      const isRefused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
      fail(new ChannelError('unreachable', '微信支付没有应答', { isUncertain: !isRefused }))
    }
    const url = new URL(`${baseUrl}${path}`)
    const module = url.protocol === 'https:' ? encrypted : plain
    module
      .request(
        url,
        {
          method,
          headers: body === '' ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        },
        response => {
          const chunks: Buffer[] = []
          let size = 0
          response.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size > MAX_ANSWER_BYTES) response.destroy(new Error('answer too large'))
            else chunks.push(chunk)
          })
          response.on('error', lost)
          response.on('end', () => {
            told(response.statusCode ?? 0)
            const bytes = Buffer.concat(chunks)
            done({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: bytes.toString('utf8'),
              bytes,
            })
          })
        },
      )
      .on('error', lost)
      .end(body)
  })
}
