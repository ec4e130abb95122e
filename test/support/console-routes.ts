import Fastify from 'fastify'
import { registerConsole } from '../../server/console/console.ts'
import type { Audience } from '../../server/console/routes.ts'
import type { Policy } from '../../server/domain/access/policy.ts'
import type { Stage } from './stage.ts'

export interface ConsoleRoute {
  method: string
  url: string
  policy: Audience | Policy<unknown>
}

/** Every route of the console, read from the server itself: a new one is in the list by being there. */
export async function consoleRoutes(stage: Stage): Promise<ConsoleRoute[]> {
  const routes: ConsoleRoute[] = []
  const app = Fastify()
  app.addHook('onRoute', ({ method, url, config }) => {
    if (typeof method === 'string' && method !== 'HEAD' && config?.policy)
      routes.push({ method, url, policy: config.policy })
  })
  await registerConsole(app, stage.rt)
  await app.close()
  return routes
}

/** The address of a route with ids for its parameters. @throws Error for a parameter that nothing is given for */
export function addressOf(url: string, ids: Record<string, number | string>): string {
  return url.replace(/:(\w+)/g, (_all, name: string) => {
    const id = ids[name]
    if (id === undefined) throw new Error(`${url}: nothing is given for :${name}`)
    return String(id)
  })
}
