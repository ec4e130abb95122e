// Runs before `npm start`, `npm run demo` and `npm test`, on whatever Node ≥ 20 the machine has: installs the
// dependencies (among them the project's own Node, see the README) when they are missing or older than the lock file.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'node_modules', '.qunzhen-lock')
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const ownNode = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock || !existsSync(ownNode)) {
  console.error('群阵：正在安装依赖（第一次约一分钟）… / installing dependencies …')
  const npm = process.env.npm_execpath
  const [command, ...args] = npm ? [process.execPath, npm] : ['npm']
  const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const result = spawnSync(command, [...args, ...install], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (result.status !== 0) {
    console.error('npm ci 没有成功，请看上面的原因（需要能访问 npm 软件源）。')
    process.exit(result.status ?? 1)
  }
  if (!existsSync(ownNode)) {
    console.error(
      '依赖中的 Node 没有装上：请允许 npm 运行安装脚本（npm config set ignore-scripts false）后再试。',
    )
    process.exit(1)
  }
  writeFileSync(stamp, lock)
}
