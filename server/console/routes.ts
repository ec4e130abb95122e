import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import type { z } from 'zod'
import { type Policy, topUnits, type Viewer } from '../domain/access/policy.ts'
import { managingRoles } from '../domain/actor.ts'
import { universitiesOf } from '../domain/subsidies/officers.ts'
import { DomainError } from '../errors.ts'
import { Html } from '../http/html.ts'
import type { Runtime } from '../runtime.ts'
import { cleanFields } from './form-fields.ts'
import { checkForm, formToken, type SignedIn, takeFlash, viewerOfRequest, writeFlash } from './session.ts'

/**
 * Who a route is for. Beside the policies of single things: `public` for everybody, `person` for whoever is signed in,
 * `manager` for those who run a unit, `keeper` for them and for group owners, `administrator` for whoever looks after the
 * server, `overseer` for them and for the offices of the nation and the provinces, `university` for whoever runs the
 * 校项目办 of one.
 */
export type Audience =
  | 'public'
  | 'person'
  | 'keeper'
  | 'manager'
  | 'administrator'
  | 'overseer'
  | 'university'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The policy of a console route: the authorisation test walks by it. */
    policy?: Audience | Policy<unknown>
  }
}

/** A request as a page sees it: who asks, for what, and how to answer. */
export interface View<Thing> {
  rt: Runtime
  viewer: Viewer
  /** What the route's policy has found and allowed. */
  thing: Thing
  request: FastifyRequest
  reply: FastifyReply
  /** Goes into every form as `_token`. */
  formToken: string
  /** Whether only a part of a page is asked for (htmx). */
  isPartial: boolean
  /** What was said by the page before, once. */
  flash: string | null
  /** Stands below the fault of a page that is shown again: what can be done about it. */
  remedy?: Html | null
  /** The fields of the form or of the query. @throws DomainError `form.invalid` with the first fault in words */
  read<Schema extends z.ZodType>(schema: Schema): z.output<Schema>
  /** Goes on to another page of ours, which says `words` at its top. */
  goTo(path: string, words?: string): FastifyReply
}

export type Answer = Html | FastifyReply
type Handler<Thing> = (view: View<Thing>) => Promise<Answer> | Answer

/** Registers the pages of the console: no route without a policy. */
export interface Routes {
  get<Thing>(url: string, policy: Policy<Thing>, handler: Handler<Thing>): void
  get(url: string, policy: Exclude<Audience, 'public'>, handler: Handler<null>): void
  post<Thing>(url: string, policy: Policy<Thing>, handler: Handler<Thing>): void
  post(url: string, policy: Exclude<Audience, 'public'>, handler: Handler<null>): void
}

/** Nothing here, or nothing for this person: one answer for both. */
export class NotFound extends Error {}

export function createRoutes(app: FastifyInstance, rt: Runtime): Routes {
  function add(
    method: HTTPMethods,
    url: string,
    policy: Exclude<Audience, 'public'> | Policy<unknown>,
    handler: Handler<never>,
  ) {
    app.route({
      method,
      url,
      config: { policy },
      handler: async (request, reply) => {
        const signedIn = await viewerOfRequest(rt, request)
        if (!signedIn) return askToSignIn(request, reply)
        if (method !== 'GET') checkForm(rt, request, signedIn)
        const thing = await findThing(rt, signedIn.viewer, policy, request)
        const answer = await handler(viewFor(rt, signedIn, thing as never, request, reply) as never)
        if (!(answer instanceof Html)) return reply
        return reply.type('text/html; charset=utf-8').send(answer.text)
      },
    })
  }
  return {
    get: (url: string, policy: never, handler: Handler<never>) => add('GET', url, policy, handler),
    post: (url: string, policy: never, handler: Handler<never>) => add('POST', url, policy, handler),
  } as Routes
}

/** @throws NotFound when this viewer may not have it, whether or not it exists */
async function findThing(
  rt: Runtime,
  viewer: Viewer,
  policy: Exclude<Audience, 'public'> | Policy<unknown>,
  request: FastifyRequest,
): Promise<unknown> {
  if (typeof policy === 'string') {
    if (!isOf(rt, viewer, policy)) throw new NotFound()
    return null
  }
  const written = (request.params as Record<string, string>)[policy.param] ?? ''
  const thing = /^\d{1,15}$/.test(written) ? await policy.find(rt, viewer, Number(written)) : null
  if (thing === null) throw new NotFound()
  return thing
}

/** Whether the viewer belongs to an audience. */
export function isOf(rt: Runtime, viewer: Viewer, audience: Exclude<Audience, 'public'>): boolean {
  switch (audience) {
    case 'person':
      return true
    case 'administrator':
      return viewer.isAdministrator
    case 'overseer':
      return viewer.isAdministrator || overseenBy(rt, viewer).length > 0
    case 'university':
      return universitiesOf(rt, viewer.actor).length > 0
    case 'manager':
      return managingRoles(rt.templates, viewer.actor).length > 0
    case 'keeper':
      return viewer.actor.ownsGroups || managingRoles(rt.templates, viewer.actor).length > 0
  }
}

const OVERSEEING = ['national', 'province']

function overseenBy(rt: Runtime, viewer: Viewer): string[] {
  return topUnits(rt.templates, viewer.actor)
    .filter(unit => OVERSEEING.includes(unit.level))
    .map(unit => unit.path)
}

/** The subtrees that an overseer looks over; null: everything, undefined: none. */
export function overseenPaths({ rt, viewer }: View<unknown>): string[] | null | undefined {
  if (viewer.isAdministrator) return null
  const paths = overseenBy(rt, viewer)
  return paths.length > 0 ? paths : undefined
}

function viewFor<Thing>(
  rt: Runtime,
  signedIn: SignedIn,
  thing: Thing,
  request: FastifyRequest,
  reply: FastifyReply,
): View<Thing> {
  const isPartial = request.headers['hx-request'] === 'true'
  return {
    rt,
    viewer: signedIn.viewer,
    thing,
    request,
    reply,
    formToken: formToken(rt, signedIn.token),
    isPartial,
    flash: isPartial ? null : takeFlash(request, reply),
    read(schema) {
      const source = request.method === 'GET' ? request.query : request.body
      const parsed = schema.safeParse(cleanFields(source ?? {}))
      if (!parsed.success)
        throw new DomainError('form.invalid', parsed.error.issues[0]?.message ?? '填写的内容不完整，请检查。')
      return parsed.data
    },
    goTo(path, words) {
      if (words !== undefined) writeFlash(reply, words)
      if (isPartial) return reply.header('hx-redirect', path).code(204).send()
      return reply.redirect(path, 303)
    },
  }
}

/** Leads somebody who is not signed in there, and back afterwards. */
export function askToSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const to = request.method === 'GET' ? request.url : '/'
  const path = `/sign-in?to=${encodeURIComponent(to)}`
  if (request.headers['hx-request'] === 'true') return reply.header('hx-redirect', path).code(204).send()
  return reply.redirect(path, 303)
}
