import { persons } from '../../db/schema/index.ts'
import type { Stage } from './stage.ts'

/** Somebody at the pages, as a browser without scripts: keeps its cookie and fills in forms. */
export interface Visitor {
  cookie: string
  /** Gets a page. `text` is its HTML. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  /** Sends a form as the page's own form would, with its token. */
  post(path: string, fields?: Record<string, string>): Promise<Answer>
  /** Sends a form with a file. */
  upload(
    path: string,
    file: { field: string; name: string; bytes: Buffer },
    fields?: Record<string, string>,
  ): Promise<Answer>
}

export interface Answer {
  status: number
  text: string
  /** Where it leads on to. */
  location: string | null
  headers: Headers
}

/** Signs somebody in by the demo's door. @param name of one person, or their id */
export async function signIn(stage: Stage, name: string | number): Promise<Visitor> {
  const id = typeof name === 'number' ? name : await personId(stage, name)
  const response = await fetch(`${stage.serverUrl}/sign-in/demo`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ person: String(id), to: '/' }),
  })
  const cookie = response.headers
    .getSetCookie()
    .map(each => each.split(';')[0] ?? '')
    .find(each => /^(?:__Host-)?qz=/.test(each))
  if (!cookie) throw new Error(`${name} could not sign in: ${response.status} ${await response.text()}`)
  return visitorWith(stage, cookie)
}

/** A visitor with a cookie, or without any. */
export function visitorWith(stage: Stage, cookie: string): Visitor {
  let token: string | undefined
  async function ask(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(`${stage.serverUrl}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { cookie, ...init.headers },
    })
    return {
      status: response.status,
      text: await response.text(),
      location: response.headers.get('location'),
      headers: response.headers,
    }
  }
  async function formToken(): Promise<string> {
    token ??= /name="_token" value="([^"]+)"/.exec((await ask('/me', {})).text)?.[1] ?? ''
    return token
  }
  return {
    cookie,
    get: (path, headers = {}) => ask(path, { headers }),
    async post(path, fields = {}) {
      return ask(path, {
        method: 'POST',
        body: new URLSearchParams({ _token: await formToken(), ...fields }),
      })
    },
    async upload(path, file, fields = {}) {
      const body = new FormData()
      body.set('_token', await formToken())
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      body.set(file.field, new Blob([new Uint8Array(file.bytes)]), file.name)
      return ask(path, { method: 'POST', body })
    },
  }
}

/** The id of the one person of that name. */
export async function personId(stage: Stage, name: string): Promise<number> {
  const found = (await stage.rt.db.select({ id: persons.id, name: persons.name }).from(persons)).filter(
    each => each.name === name,
  )
  const [person] = found
  if (!person || found.length > 1) throw new Error(`${found.length} persons are called ${name}`)
  return person.id
}
