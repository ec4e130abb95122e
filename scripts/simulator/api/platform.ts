import { ApiError, refuse } from '../api-error.ts'
import type { Core } from '../core.ts'
import { HOUR, MINUTE } from '../limits.ts'
import { type Body, isRecord } from './fields.ts'

export interface ApiCall<Subject> {
  core: Core
  /** The app or account that the token belongs to. */
  subject: Subject
  query: Record<string, string>
  body: Body
  /** The body as it came, for uploads. */
  raw: Buffer
  contentType: string
}

type Answer = Record<string, unknown> | AnsweredFile
export type OpenCall = Omit<ApiCall<never>, 'subject'>

export type ApiFunction<Subject> =
  | { method: 'GET' | 'POST'; upload?: true; run(call: ApiCall<Subject>): Answer }
  /** Needs no access_token. `counted: false`: neither quotas nor permissions apply, as for tokens themselves. */
  | { method: 'GET' | 'POST'; upload?: true; open: true; counted: boolean; runOpen(call: OpenCall): Answer }

/** One API family: path after the host → what it does. */
export type ApiTable<Subject> = Record<string, ApiFunction<Subject>>

export function get<Subject>(run: (call: ApiCall<Subject>) => Answer): ApiFunction<Subject> {
  return { method: 'GET', run }
}

export function post<Subject>(run: (call: ApiCall<Subject>) => Answer): ApiFunction<Subject> {
  return { method: 'POST', run }
}

export interface Platform<Subject> {
  host: string
  table: ApiTable<Subject>
  subjectOf(core: Core, token: string): Subject
  /** Who counts against the frequency limits. */
  nameOf(subject: Subject): string
  codes: { ip: number; permission: number }
  /** WeCom lets tokens through from anywhere and checks the address on each call; an Official Account checks both. */
  ipCheckedOnTokens: boolean
  refusesEscapes: boolean
}

export interface HttpRequest {
  method: string
  path: string
  query: Record<string, string>
  raw: Buffer
  contentType: string
}

export interface HttpAnswer {
  status: number
  /** JSON text, unless a file is handed out. */
  body: string
  file?: AnsweredFile
}

/** What an interface hands out in place of JSON. */
export class AnsweredFile {
  readonly fileName: string
  readonly contentType: string
  readonly bytes: Buffer
  constructor(fileName: string, contentType: string, bytes: Buffer) {
    this.fileName = fileName
    this.contentType = contentType
    this.bytes = bytes
  }
}

// TypeScript does not know it yet; the platforms write 64-bit ids as bare numbers, which JSON.stringify cannot
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/** A number too large for JavaScript, bare in the JSON. */
export function bareNumber(digits: string): unknown {
  return rawJSON(digits)
}

/** @see developer.work.weixin.qq.com/document/path/90312 : per corp and interface */
const CALLS_PER_MINUTE = 10_000
const CALLS_PER_HOUR = 150_000
const SLOW_MS = 6000

/** Answers one call to a platform: faults, token, form and limits first, then the function itself. */
export async function answerCall<Subject>(
  core: Core,
  platform: Platform<Subject>,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const began = performance.now()
  const log = (errcode: number, status = 200) =>
    core.log.add('api', {
      host: platform.host,
      path: request.path,
      errcode,
      ...(status === 200 ? {} : { status }),
      ms: Math.round(performance.now() - began),
    })
  const found = platform.table[request.path]
  if (!found) {
    log(-1, 404)
    return { status: 404, body: '{"errcode":-1,"errmsg":"no such interface in the simulator"}' }
  }
  const slow = core.faults.strikes('slow-answers', request.path)
  // unref: a simulator that was stopped does not keep its process waiting
  if (slow) await new Promise(resolve => setTimeout(resolve, slow.ms ?? SLOW_MS).unref())
  if (core.faults.strikes('http-500', request.path)) {
    log(-1, 500)
    return { status: 500, body: '<html><body>500 Internal Server Error</body></html>' }
  }
  let answer: Record<string, unknown>
  try {
    const result = runFunction(core, platform, found, request)
    if (result instanceof AnsweredFile) {
      log(0)
      return { status: 200, body: '', file: result }
    }
    answer = { errcode: 0, errmsg: 'ok', ...result }
  } catch (error) {
    if (!(error instanceof ApiError)) {
      core.log.add('error', {
        where: request.path,
        message: error instanceof Error ? error.message : String(error),
      })
      answer = { errcode: -1, errmsg: 'system busy' }
    } else {
      answer = {
        errcode: error.errcode,
        errmsg: `${error.message}, hint: [${core.ids.letters(16)}], from ip: 127.0.0.1`,
      }
    }
  }
  log(answer.errcode as number)
  return { status: 200, body: JSON.stringify(answer) }
}

function runFunction<Subject>(
  core: Core,
  platform: Platform<Subject>,
  found: ApiFunction<Subject>,
  request: HttpRequest,
): Answer {
  const { path, query, raw, contentType } = request
  if (request.method !== found.method)
    refuse(found.method === 'POST' ? 43002 : 43001, `require ${found.method} method`)
  const open = 'open' in found
  const counted = !open || found.counted
  const subject = open ? undefined : readSubject(core, platform, path, query)
  if ((!open || platform.ipCheckedOnTokens) && core.faults.strikes('ip-refused', path)) {
    refuse(platform.codes.ip, 'not allow to access from your ip')
  }
  if (!open && core.faults.strikes('no-permission', path)) refuse(platform.codes.permission, 'api forbidden')
  if (core.faults.strikes('busy', path)) refuse(-1, 'system busy')
  if (counted && core.faults.strikes('quota-exhausted', path)) refuse(45009, 'api freq out of limit')
  if (subject !== undefined && core.limits.has('callFrequency')) {
    const key = `calls|${platform.nameOf(subject)}|${path}`
    const allowed =
      core.limits.take(key, CALLS_PER_MINUTE, MINUTE) && core.limits.take(`${key}|h`, CALLS_PER_HOUR, HOUR)
    if (!allowed) refuse(45009, 'api freq out of limit')
  }
  const body = found.method === 'POST' && !found.upload ? readJson(raw, platform.refusesEscapes) : {}
  const call = { core, query, body, raw, contentType }
  return 'open' in found ? found.runOpen(call) : found.run({ ...call, subject: subject as Subject })
}

function readSubject<Subject>(
  core: Core,
  platform: Platform<Subject>,
  path: string,
  query: Record<string, string>,
): Subject {
  if (core.faults.strikes('token-void', path)) core.tokens.voidAll()
  return platform.subjectOf(core, query.access_token ?? '')
}

function readJson(raw: Buffer, refusesEscapes: boolean): Body {
  if (raw.length === 0) refuse(44002, 'empty post data')
  const source = raw.toString('utf8')
  // an even number of backslashes before \u is an escaped backslash, not an escape
  if (refusesEscapes && /(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}/.test(source))
    refuse(40033, 'invalid charset: \\uxxxx in the body')
  let body: unknown
  try {
    body = JSON.parse(source)
  } catch {
    refuse(47001, 'data format error. Warning: wrong json format.')
  }
  if (!isRecord(body)) refuse(47001, 'data format error. Warning: wrong json format.')
  return body
}
