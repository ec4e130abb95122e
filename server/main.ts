import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createBot } from '../bot/bot.ts'
import type { Channels } from './channels/channel.ts'
import { ConfigError, readConfig } from './config.ts'
import { shippedAlertFinder } from './domain/messages/alerts.ts'
import { lowerHelperThreads } from './helper-threads.ts'
import { startServer } from './start.ts'
import { type Templates, TemplatesError } from './templates.ts'

/** The bot for the configured channels. Here, and only here, server and bot meet. */
export function botFor(channels: Channels, templates: Templates) {
  return createBot({
    templates,
    maxReplyBytes: Math.min(
      ...[channels.wecom, channels.officialAccount].map(channel => channel?.maxTextBytes ?? 2048),
    ),
    lacks: {
      wecom: channels.wecom?.lacks ?? [],
      'official-account': channels.officialAccount?.lacks ?? [],
      aibot: [],
    },
  })
}

/** Longest legitimate stop: requests under way (5 s), jobs (20 s), the database (5 s). */
const STOP_LIMIT_MS = 35_000

async function main(): Promise<void> {
  // callbacks leave much behind: collected before it makes the memory three times what is in use (docs/performance.md)
  setFlagsFromString('--heap-growing-percent=100')
  const starting = startServer({ config: readConfig(process.env), createBot: botFor })
  // while the database answers; otherwise the first who writes would wait for it
  shippedAlertFinder()
  let isStopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (isStopping) return
      isStopping = true
      setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref()
      // a signal that comes while the server starts stops it as soon as it has
      starting
        .then(server => {
          server.rt.log.info({ signal }, 'stopping')
          return server.stop()
        })
        .then(
          () => process.exit(0),
          () => process.exit(1),
        )
    })
  const server = await starting
  server.rt.log.info({ url: server.url }, 'listening')
  letGoOfStart()
  lowerHelperThreads()
}

/** What starting has left behind, a quarter of the memory, goes before what the first callbacks need comes on top of it. */
function letGoOfStart(): void {
  setFlagsFromString('--expose-gc')
  const collect: (options: object) => void = runInNewContext('gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

if (import.meta.main) {
  main().catch(error => {
    const isExpected = error instanceof ConfigError || error instanceof TemplatesError
    console.error(isExpected ? error.message : error)
    process.exit(1)
  })
}
