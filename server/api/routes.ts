import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { type UnitRow, unitByCode, unitById } from '../../db/queries/units.ts'
import type { Caller } from '../domain/api-tokens/read.ts'
import { cleanTexts } from '../http/texts.ts'
import type { Runtime } from '../runtime.ts'
import { callerOf } from './caller.ts'
import { notHere } from './faults.ts'
import { fault, object, type Schema } from './schemas.ts'
import { type Scope, scopes } from './scopes.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a token needs for a route of the interface. */
    scope?: Scope
  }
}

/** A request as a route of the interface sees it; the fields have been checked against the route's schemas. */
export interface Call<Query, Params, Body> {
  rt: Runtime
  caller: Caller
  query: Query
  params: Params
  body: Body
  request: FastifyRequest
  reply: FastifyReply
}

export interface ApiRoute<Query, Params, Body> {
  tag: string
  summary: string
  description?: string
  scope: Scope
  query?: Record<string, Schema>
  /** Those of the query that must be there. */
  required?: string[]
  params?: Record<string, Schema>
  headers?: Schema
  body?: Schema
  /** Status and schema of the answer; `content` for one that is not JSON. */
  answer: { status?: number; schema: Schema }
  bodyLimit?: number
  handle(call: Call<Query, Params, Body>): Promise<unknown>
}

export interface ApiRoutes {
  get<Query = unknown, Params = unknown>(url: string, route: ApiRoute<Query, Params, unknown>): void
  post<Query = unknown, Params = unknown, Body = unknown>(
    url: string,
    route: ApiRoute<Query, Params, Body>,
  ): void
}

/** Registers the routes of the interface: none without a scope, and each in the description. */
export function createApiRoutes(app: FastifyInstance, rt: Runtime): ApiRoutes {
  const callers = new WeakMap<FastifyRequest, Caller>()
  function add<Query, Params, Body>(method: HTTPMethods, url: string, route: ApiRoute<Query, Params, Body>) {
    app.route({
      method,
      url,
      config: { scope: route.scope },
      ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
      schema: {
        tags: [route.tag],
        summary: route.summary,
        description: [route.description, `权限：\`${route.scope}\`（${scopes[route.scope]}）`]
          .filter(Boolean)
          .join('\n\n'),
        security: [{ token: [] }],
        ...(route.query ? { querystring: { ...object(route.query), required: route.required ?? [] } } : {}),
        ...(route.params ? { params: object(route.params) } : {}),
        ...(route.headers ? { headers: route.headers } : {}),
        ...(route.body ? { body: route.body } : {}),
        response: responsesOf(method, route),
      },
      // before the body is read: who has no token sends us nothing
      onRequest: async request => {
        callers.set(request, await callerOf(rt, request, route.scope))
      },
      // before it is checked against the schemas
      preValidation: async request => {
        request.query = cleanTexts(request.query)
        request.params = cleanTexts(request.params)
        request.body = cleanTexts(request.body)
      },
      handler: async (request, reply) =>
        route.handle({
          rt,
          caller: callers.get(request) as Caller,
          query: request.query as Query,
          params: request.params as Params,
          body: request.body as Body,
          request,
          reply,
        }),
    })
  }
  return {
    get: (url, route) => add('GET', url, route),
    post: (url, route) => add('POST', url, route),
  }
}

function responsesOf(
  method: HTTPMethods,
  route: { answer: { status?: number; schema: Schema }; params?: unknown; query?: unknown },
): Record<string, Schema> {
  const faults: [status: number, description: string][] = [
    [400, '请求不对，说明里有字段名'],
    [401, '没有令牌，或令牌无效'],
    [403, '令牌没有这项权限'],
    ...(route.params || route.query ? ([[404, '没有，或不在令牌的范围内']] as [number, string][]) : []),
    ...(method === 'POST' || route.query
      ? ([[422, '按规则不能办，说明里写着缘由']] as [number, string][])
      : []),
    [429, '调用太快，Retry-After 秒后再试'],
    [500, '服务器出错'],
  ]
  return {
    [route.answer.status ?? 200]: { description: '办成了', ...route.answer.schema },
    ...Object.fromEntries(faults.map(([status, description]) => [status, { ...fault, description }])),
  }
}

/**
 * The unit that is named by its code in the token's programme, or else by its number; the token's own when none is named.
 * @throws ApiFault 404 for one that is not there or not below the token's unit
 */
export async function unitNamed(rt: Runtime, caller: Caller, name: string | undefined): Promise<UnitRow> {
  if (name === undefined) return caller.unit
  const unit =
    (await unitByCode(rt.db, caller.unit.programme, name)) ??
    (/^[1-9]\d{0,14}$/.test(name) ? await unitById(rt.db, Number(name)) : null)
  if (!unit?.path.startsWith(caller.unit.path)) throw notHere('单位')
  return unit
}

/** What a list is asked for by. */
export interface SliceQuery {
  after: number
  limit: number
}

/** One page of a list: one more row than the page is read, to know whether there is a next one. */
export async function pageOf<Row extends { id: number }, Item>(
  { after, limit }: SliceQuery,
  read: (slice: SliceQuery) => PromiseLike<Row[]>,
  toItem: (row: Row) => Item,
): Promise<{ items: Item[]; next: number | null }> {
  const rows = await read({ after, limit: limit + 1 })
  const shown = rows.slice(0, limit)
  return { items: shown.map(toItem), next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null }
}
