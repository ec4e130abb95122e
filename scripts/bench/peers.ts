import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { UsageError } from '../support/command-line.ts'
import { HAND_WRITTEN } from './report.ts'
import type { Mode } from './statistics.ts'

/** A server to be compared with. */
export interface Peer {
  name: string
  modes: readonly Mode[]
  /** In `peers/` of the folder. */
  file: string
  environment: Record<string, string>
  /** Where it takes callbacks. */
  path: string
}

const peer = (
  name: string,
  file: string,
  modes: readonly Mode[],
  environment: Record<string, string> = {},
): Peer => ({ name, modes, file, environment, path: '/wechat' })

const both: readonly Mode[] = ['wecom', 'oa-aes']

/** The peers store nothing; the hand-written server commits every message, many in one statement, before it answers. */
export function peersWith(databaseUrl: string): Peer[] {
  return [
    peer('wechat-enterprise', 'wechat-enterprise.mjs', ['wecom']),
    peer('nest-wechat', 'nest-wechat.mjs', both),
    peer('diy-express', 'diy-express.mjs', both),
    peer('node-easywechat-koa', 'easywechat.mjs', both, { HTTP: 'koa' }),
    peer('node-easywechat-fastify', 'easywechat.mjs', both, { HTTP: 'fastify' }),
    peer('co-wechat', 'co-wechat.mjs', ['oa-aes']),
    peer('wechat', 'wechat-express.mjs', ['oa-aes']),
    peer(HAND_WRITTEN, 'limit-durable.mjs', both, { STORE: 'grouped', DATABASE_URL: databaseUrl }),
  ]
}

/** The fastest of each mode as measured before: for a quick look. */
export const quickPeers: ReadonlySet<string> = new Set(['wechat-enterprise', 'co-wechat', HAND_WRITTEN])

/**
 * The folder with the load generator and the peers, dependencies installed. When they are missing the folder is copied
 * to the temporary folder and installed there, once: the original is left as it is.
 * @throws UsageError when there is no such folder
 */
export function peersFolder(given: string): string {
  const folder = resolve(given)
  if (!existsSync(join(folder, 'load.mjs')))
    throw new UsageError(`没有找到对照服务的目录：${folder}。请用 --peers 或环境变量 BENCH_PEERS 指明。`)
  if (existsSync(join(folder, 'node_modules'))) return folder
  const copy = join(tmpdir(), `qunzhen-bench-${fingerprint(folder)}`)
  if (existsSync(join(copy, 'node_modules'))) return copy
  // made aside and renamed: one that was interrupted is never taken for a whole one
  const aside = `${copy}.${process.pid}`
  cpSync(folder, aside, { recursive: true })
  console.error('正在安装对照服务的依赖……')
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: aside,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (install.status !== 0) {
    rmSync(aside, { recursive: true, force: true })
    throw new UsageError('对照服务的依赖没有装上（npm ci），请看上面的原因。')
  }
  rmSync(copy, { recursive: true, force: true })
  renameSync(aside, copy)
  return copy
}

/** Of all files in a folder: a copy of another state of it is another copy. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => !/^(node_modules|results)(\/|$)/.test(name) && statSync(join(folder, name)).isFile())
    .sort()
  for (const name of names) hash.update(`${name}\0`).update(readFileSync(join(folder, name)))
  return hash.digest('hex').slice(0, 12)
}
