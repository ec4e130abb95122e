import { parentPort, workerData } from 'node:worker_threads'
import { DomainError } from '../../errors.ts'
import { createVault, type Vault } from '../../vault.ts'
import { type StagedHead, type StagedPart, type StagingJob, stageRows } from './stage-rows.ts'

/** What a thread is given to begin with. */
export interface WorkerTask {
  job: StagingJob
  vault: Vault['madeFrom']
}

/** What it says. After each part it waits for a word, so that no more is read than can be taken. */
export type WorkerWord =
  | { kind: 'head'; head: StagedHead }
  | { kind: 'part'; part: StagedPart }
  | { kind: 'end' }
  | { kind: 'refused'; code: string; message: string }

/** So many parts may be on their way. */
const AHEAD = 3

async function work({ job, vault }: WorkerTask): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('a staging worker is started as a thread')
  const say = (word: WorkerWord, transfer: ArrayBuffer[] = []) => port.postMessage(word, transfer)
  let onTheirWay = 0
  let takenWaiter = () => {}
  port.on('message', () => {
    onTheirWay -= 1
    takenWaiter()
  })
  try {
    const { head, parts } = await stageRows(job, createVault(...vault))
    say({ kind: 'head', head })
    for await (const part of parts) {
      while (onTheirWay >= AHEAD)
        await new Promise<void>(resolve => {
          takenWaiter = resolve
        })
      onTheirWay += 1
      say({ kind: 'part', part }, [part.bytes.buffer])
    }
    say({ kind: 'end' })
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    say({ kind: 'refused', code: error.code, message: error.message })
  } finally {
    port.close()
  }
}

await work(workerData as WorkerTask)
