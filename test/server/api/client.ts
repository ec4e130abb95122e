import { rolesOf } from '../../../db/queries/persons.ts'
import { unitByCode } from '../../../db/queries/units.ts'
import type { Scope } from '../../../server/api/scopes.ts'
import type { KnownActor } from '../../../server/domain/actor.ts'
import { makeApiToken } from '../../../server/domain/api-tokens/make.ts'
import { personId } from '../../support/console.ts'
import type { Stage } from '../../support/stage.ts'

export interface ApiAnswer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into, not typed
  json: any
  text: string
  headers: Headers
}

/** A program with a token. */
export type Client = (
  path: string,
  init?: { method?: string; body?: string | FormData | object; headers?: Record<string, string> },
) => Promise<ApiAnswer>

/** @param token null: none is sent */
export function clientWith(stage: Stage, token: string | null, { isPatient = true } = {}): Client {
  return async (path, { method = 'GET', body, headers = {} } = {}) => {
    // as fast as a token may go on for ever
    if (isPatient) stage.clock.advance(1000)
    const isJson = body !== undefined && !(body instanceof FormData) && typeof body === 'object'
    const response = await fetch(`${stage.serverUrl}/api/v1${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as string | FormData) }),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const text = bytes.toString()
    const isJsonAnswer = response.headers.get('content-type')?.startsWith('application/json')
    return {
      status: response.status,
      json: isJsonAnswer ? JSON.parse(text) : null,
      text: bytes.toString('latin1'),
      headers: response.headers,
    }
  }
}

export async function actorNamed(stage: Stage, name: string): Promise<KnownActor> {
  const id = await personId(stage, name)
  return {
    identityId: 0,
    channel: 'console',
    address: '',
    person: { id, name },
    roles: await rolesOf(stage.rt.db, id),
    ownsGroups: false,
    boundBy: 'code',
  }
}

export async function unitOf(stage: Stage, programme: string, code: string) {
  const unit = await unitByCode(stage.rt.db, programme, code)
  if (!unit) throw new Error(`no unit ${code}`)
  return unit
}

/** A token that somebody has made for a unit of theirs. */
export async function tokenFor(
  stage: Stage,
  maker: string,
  [programme, code]: [programme: string, code: string],
  scopes: Scope[],
  options: { lastDay?: string; name?: string } = {},
): Promise<{ id: number; token: string; client: Client }> {
  const made = await makeApiToken(stage.rt, await actorNamed(stage, maker), {
    unit: await unitOf(stage, programme, code),
    name: options.name ?? `${maker}的${scopes.join('、')}`.slice(0, 40),
    scopes,
    lastDay: options.lastDay ?? '2027-03-01',
  })
  return { ...made, client: clientWith(stage, made.token) }
}
