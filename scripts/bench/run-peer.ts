import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, residentMemory, sleep } from '../chaos/server-process.ts'
import { type LoadOptions, type LoadResult, nothingMeasured, runLoad, secrets } from './load.ts'
import type { Peer } from './peers.ts'

const START_LIMIT_MS = 60_000

/** Starts a peer on its core, puts it under load, and ends it. One that does not come up is measured with an error. */
export async function measurePeer(
  peer: Peer,
  load: Omit<LoadOptions, 'url' | 'pid' | 'expect'>,
  core: number | null,
): Promise<LoadResult & { peak_mb: number }> {
  const port = await freePort()
  const node = [process.execPath, join(load.folder, 'peers', peer.file)]
  const [command = '', ...args] = core === null ? node : ['taskset', '-c', String(core), ...node]
  const child = spawn(command, args, {
    cwd: load.folder,
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      PORT: String(port),
      TOKEN: secrets.token,
      AES_KEY: secrets.aesKey,
      RECEIVE_ID: secrets.receiveId,
      MODE: load.mode,
      ...peer.environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', chunk => {
    complaint = (complaint + chunk).slice(-2000)
  })
  const exited = new Promise(done => child.once('close', done))
  try {
    const giveUpAt = performance.now() + START_LIMIT_MS
    while (!(await listens(port))) {
      if (child.exitCode !== null || performance.now() > giveUpAt) {
        const first_error = `did not come up: ${complaint}`
        return { ...nothingMeasured, mode: load.mode, errors: 1, first_error, peak_mb: 0 }
      }
      await sleep(50)
    }
    const pid = child.pid ?? 0
    const url = `http://127.0.0.1:${port}${peer.path}`
    const result = await runLoad({ ...load, url, pid, expect: '{content}' })
    return { ...result, peak_mb: residentMemory(pid, 'peak') ?? 0 }
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      done(true)
    })
    socket.on('error', () => done(false))
  })
}
