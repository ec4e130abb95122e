import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type {
  CallCounts,
  GroupCounts,
  PlatformGroup,
  PlatformLedger,
  PlatformOptions,
  Question,
} from './platform.ts'

/** A platform that runs beside us; it ends with us at the latest. */
export interface PlatformProcess {
  /** What stands for qyapi.weixin.qq.com. */
  wecomUrl: string
  make(counts: GroupCounts): Promise<PlatformGroup[]>
  /** What it has got of the texts that hold `mark`. */
  ledger(mark: string): Promise<PlatformLedger>
  calls(): Promise<CallCounts>
  stop(): Promise<void>
}

interface Reply {
  number: number
  answer?: unknown
  error?: string
}

/** Starts the simulator as a process of its own. @throws Error when it does not come up */
export async function startPlatform(options: PlatformOptions): Promise<PlatformProcess> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'platform.ts'), [JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  })
  const waiting = new Map<number, { done(answer: unknown): void; fail(error: Error): void }>()
  const ended = new Promise<void>(done => child.once('exit', () => done()))
  void ended.then(() => {
    for (const { fail } of waiting.values()) fail(new Error('the platform has ended'))
  })
  child.on('message', ({ number, answer, error }: Reply) => {
    const who = waiting.get(number)
    waiting.delete(number)
    if (error === undefined) who?.done(answer)
    else who?.fail(new Error(error))
  })
  let numbers = 0
  const answerTo = (number: number) =>
    new Promise<unknown>((done, fail) => void waiting.set(number, { done, fail }))
  const ask = (question: Question) => {
    const number = ++numbers
    const answer = answerTo(number)
    child.send({ number, ...question })
    return answer
  }
  const { url } = (await answerTo(0)) as { url: string }
  return {
    wecomUrl: url,
    make: counts => ask({ ask: 'make', counts }) as Promise<PlatformGroup[]>,
    ledger: mark => ask({ ask: 'ledger', mark }) as Promise<PlatformLedger>,
    calls: () => ask({ ask: 'calls' }) as Promise<CallCounts>,
    async stop() {
      child.kill()
      await ended
    },
  }
}
