import type { Core } from './core.ts'

const HELD_BACK_MS = 150

export interface PushAnswer {
  status: number
  body: string
}

/** How the chat robot and WeChat Pay call the server under test; both speak JSON and have their own rules for retries. */
export interface Push {
  /** @throws Error `timeout`, or what the network says. */
  request(
    url: URL,
    message: { headers?: Record<string, string>; body?: string },
    timeoutMs: number,
  ): Promise<PushAnswer>
  /** Real time; ends early when the simulator stops. */
  pause(ms: number): Promise<void>
  /** Keeps the simulator's idle() waiting until the work is done. */
  busy<Result>(work: () => Promise<Result>): Promise<Result>
  /** Sends once, twice, late or never, as the callback faults that are on say. */
  underFaults(which: string, label: string, send: () => Promise<void>): Promise<void>
  readonly stopped: boolean
  stop(): void
}

export function createPush(core: Core): Push {
  const ending = new AbortController()
  const { signal } = ending

  function pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      if (signal.aborted) return resolve()
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }

  return {
    async request(url, { headers = {}, body }, timeoutMs) {
      try {
        const answer = await fetch(url, {
          method: body === undefined ? 'GET' : 'POST',
          // a platform does not follow redirects
          redirect: 'manual',
          headers: { 'user-agent': 'Mozilla/4.0', ...headers },
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
          ...(body === undefined ? {} : { body }),
        })
        return { status: answer.status, body: await answer.text() }
      } catch (error) {
        if (!(error instanceof Error)) throw error
        if (error.name === 'TimeoutError') throw new Error('timeout')
        throw new Error(error.cause instanceof Error ? error.cause.message : error.message)
      }
    },
    pause,
    busy(work) {
      const done = work()
      // `later` is what idle() counts; the work itself has begun already
      core.callbacks.later(0, () =>
        done.then(
          () => undefined,
          () => undefined,
        ),
      )
      return done
    },
    async underFaults(which, label, send) {
      if (core.faults.strikes('drop-callbacks', label)) {
        core.log.add('dropped', { what: 'callback', which, label, reason: 'drop-callbacks' })
        return
      }
      const held = core.faults.strikes('reorder-callbacks', label)
      const twice = core.faults.strikes('duplicate-callbacks', label) !== undefined
      if (held) await pause(held.ms ?? HELD_BACK_MS)
      await send()
      if (twice) await send()
    },
    get stopped() {
      return signal.aborted
    },
    stop: () => ending.abort(),
  }
}
