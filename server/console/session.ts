import { timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Viewer } from '../domain/access/policy.ts'
import { readSession } from '../domain/sign-in/sessions.ts'
import { DomainError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { viewerOf } from './viewer.ts'

export interface SignedIn {
  viewer: Viewer
  token: string
}

const FLASH = 'qz_said'
const KEPT = 'qz_kept'

/** `__Host-` keeps the cookie to this very host and to TLS; a server without TLS (a test, the demo) cannot set it. */
function sessionCookie(rt: Runtime): string {
  return isSecure(rt) ? '__Host-qz' : 'qz'
}

function isSecure(rt: Runtime): boolean {
  return rt.publicUrl.startsWith('https:')
}

const plain = { path: '/', httpOnly: true, sameSite: 'lax' as const }

/** The signed-in person of a request; null when there is none. */
export async function viewerOfRequest(rt: Runtime, request: FastifyRequest): Promise<SignedIn | null> {
  const token = request.cookies[sessionCookie(rt)]
  if (!token) return null
  const owner = await readSession(rt, token)
  return owner && { viewer: viewerOf(owner), token }
}

export function keepSession(
  rt: Runtime,
  reply: FastifyReply,
  session: { token: string; expiresAt: Date },
): void {
  // the row says when it is over; the cookie only has to last as long at most
  reply.setCookie(sessionCookie(rt), session.token, {
    ...plain,
    secure: isSecure(rt),
    maxAge: 400 * 86_400,
  })
}

export function dropSession(rt: Runtime, reply: FastifyReply): void {
  reply.clearCookie(sessionCookie(rt), { ...plain, secure: isSecure(rt) })
}

/** What a form carries to show that it came from our page: bound to the session, worth nothing in another. */
export function formToken(rt: Runtime, sessionToken: string): string {
  return rt.vault.index('form', sessionToken)
}

/**
 * A form counts when it carries the session's token and was sent from our own page: another site can make a browser
 * send a request, and read neither.
 * @throws DomainError `form.stale`
 */
export function checkForm(rt: Runtime, request: FastifyRequest, { token }: SignedIn): void {
  checkOrigin(rt, request)
  const given = Buffer.from(tokenOf(request))
  // a page that was open while the data key was changed still counts
  const isOurs = rt.vault
    .indexes('form', token)
    .map(each => Buffer.from(each))
    .some(expected => given.length === expected.length && timingSafeEqual(given, expected))
  if (!isOurs)
    throw new DomainError('form.stale', '页面已经过期，请返回重新打开后再提交。您填写的内容没有保存。')
}

/** @throws DomainError `form.stale` for a request that another site had sent */
export function checkOrigin(rt: Runtime, request: FastifyRequest): void {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  const own = [rt.publicUrl && new URL(rt.publicUrl).origin, `${request.protocol}://${request.headers.host}`]
  if ((origin !== undefined && !own.includes(origin)) || site === 'cross-site')
    throw new DomainError('form.stale', '这个请求不是从本系统的页面发出的，没有办理。')
}

/** The form token of a request: a field of the form, of an upload, or a header. */
function tokenOf(request: FastifyRequest): string {
  const field = (request.body as { _token?: unknown } | null | undefined)?._token
  const value = typeof field === 'object' && field !== null ? (field as { value?: unknown }).value : field
  if (typeof value === 'string') return value
  const header = request.headers['x-form-token']
  return typeof header === 'string' ? header : ''
}

/** Says something at the top of the next page, once. */
export function writeFlash(reply: FastifyReply, words: string): void {
  reply.setCookie(FLASH, words.slice(0, 600), { ...plain, maxAge: 60 })
}

export function takeFlash(request: FastifyRequest, reply: FastifyReply): string | null {
  const words = request.cookies[FLASH]
  if (!words) return null
  reply.clearCookie(FLASH, plain)
  return words
}

/** Keeps something in this browser while its owner is away at a platform's login page. @see sign-in.ts */
export function keepForReturn(rt: Runtime, reply: FastifyReply, value: string): void {
  reply.setCookie(KEPT, value, { ...plain, secure: isSecure(rt), maxAge: 600 })
}

export function takeKept(request: FastifyRequest, reply: FastifyReply): string | null {
  const value = request.cookies[KEPT]
  if (!value) return null
  reply.clearCookie(KEPT, plain)
  return value
}
