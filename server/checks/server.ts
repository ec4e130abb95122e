import { existsSync } from 'node:fs'
import { readdir, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { anySealed, safetySettings } from '../../db/queries/troubles.ts'
import type { Runtime } from '../runtime.ts'
import { type Check, cannotTell, type Finding, mend, ok } from './check.ts'

const TIMEOUT_MS = 5000
/** The platforms' signatures and our login links allow for minutes, the callbacks' freshness for ten. */
const SKEW_BAD_MS = 60_000
/** The names that are handed out (`server/http/verify-files.ts`). */
const VERIFY_FILE = /^(?:WW|MP)_verify_[A-Za-z0-9]{8,64}\.txt$/
const GIGABYTE = 1024 ** 3
const DISK_LEAST = 2 * GIGABYTE

/** What a self-check looks at on our own side. */
export function serverChecks(): Check[] {
  const check = (id: string, title: string, run: Check['run']): Check => ({
    id: `server.${id}`,
    section: 'server',
    title,
    run,
  })
  return [
    check('public-url', '网址能从外面打开', publicUrl),
    check('domains', '可信域名', domains),
    check('verify-files', '域名校验文件', verifyFiles),
    check('clock', '服务器的时间', clockSkew),
    check('database', '数据库的落盘设置', databaseSafety),
    check('data-key', '加密密钥 DATA_KEY', dataKey),
    check('disk', '磁盘空间', diskSpace),
  ]
}

async function publicUrl({ config }: Runtime): Promise<Finding> {
  const address = config.publicUrl
  const click = '在 .env 里把 PUBLIC_URL 设为已备案的 https 域名并重启；反向代理把它转发到 HOST:PORT。'
  if (address === null) return mend('没有设置 PUBLIC_URL：机器人发出的链接别人打不开。', click)
  try {
    const response = await fetch(`${address}/healthz`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const { status } = (await response.json()) as { status?: unknown }
    if (response.status !== 200 || status !== 'ok')
      return mend(`${address}/healthz 返回 HTTP ${response.status}，不是本服务的回答。`, click)
  } catch {
    return mend(
      `从服务器自己打不开 ${address}/healthz。`,
      '检查域名解析、证书和反向代理；有的机房不让服务器访问自己的公网地址，请用手机流量打开这个网址再看一次。',
    )
  }
  return address.startsWith('https:')
    ? ok(`${address} 能打开，是 https。（从服务器自己看；外面的网络请用手机流量打开一次。）`)
    : mend(`${address} 能打开，但不是 https：平台不接受，登录也不安全。`, click)
}

/** No interface tells them. */
function domains({ config }: Runtime): Finding {
  const host = config.publicUrl === null ? 'PUBLIC_URL 的域名' : new URL(config.publicUrl).hostname
  const places = [
    config.wecom &&
      `企业微信管理后台 → 应用管理 → 本应用 → 网页授权及 JS-SDK（可信域名）和企业微信授权登录（Web 网页回调域），都是 ${host}`,
    config.officialAccount &&
      `公众平台（mp.weixin.qq.com）→ 设置与开发 → 账号设置 → 功能设置：JS 接口安全域名、网页授权域名都是 ${host}`,
  ].filter(place => place !== null)
  return cannotTell('平台没有查询域名设置的接口，请对照检查。', `${places.join('；')}。`)
}

/** The platforms look for a file of theirs before they take a domain; `server/http/verify-files.ts` hands them out. */
async function verifyFiles({ config }: Runtime): Promise<Finding> {
  const names = await readdir(config.verifyFolder).catch((): string[] => [])
  const missing = [
    { prefix: 'WW_verify_', platform: '企业微信', isUsed: config.wecom !== null },
    { prefix: 'MP_verify_', platform: '公众号', isUsed: config.officialAccount !== null },
  ].filter(
    ({ prefix, isUsed }) => isUsed && !names.some(name => name.startsWith(prefix) && VERIFY_FILE.test(name)),
  )
  if (missing.length === 0) return ok(`校验文件在 ${config.verifyFolder} 里。`)
  return mend(
    `${config.verifyFolder} 里没有${missing.map(({ platform }) => platform).join('和')}的校验文件，可信域名验证不了。`,
    `在平台的域名设置页下载 ${missing.map(({ prefix }) => `${prefix}….txt`).join('、')}，放进这个目录，不用重启；再回平台点“保存”。`,
  )
}

/** The platform's own clock is in the Date header of any answer, a refusal as well. */
async function clockSkew(rt: Runtime): Promise<Finding> {
  if (rt.isDemo) return cannotTell('演示里的时间由演示自己走，不与平台核对。')
  const baseUrl = rt.config.wecom?.baseUrl ?? rt.config.officialAccount?.baseUrl
  if (!baseUrl) return cannotTell('没有配置平台，没有时间可以核对。')
  let date: string | null
  let before: number
  let after: number
  try {
    before = rt.clock.now().getTime()
    const response = await fetch(`${baseUrl}/cgi-bin/getcallbackip`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    after = rt.clock.now().getTime()
    await response.body?.cancel()
    date = response.headers.get('date')
  } catch {
    return cannotTell('平台没有应答，没有时间可以核对。', '先看上面平台的检查。')
  }
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return cannotTell('平台的应答里没有时间。')
  const skewMs = Math.round((before + after) / 2) - theirs
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  return Math.abs(skewMs) > SKEW_BAD_MS
    ? mend(
        `服务器的时间比平台${skewMs > 0 ? '快' : '慢'} ${seconds} 秒：回调会被当作重放，催办也不准时。`,
        '在服务器上打开时间同步：timedatectl set-ntp true（或装 chrony）。',
      )
    : ok(`与平台相差 ${seconds} 秒以内。`)
}

async function databaseSafety(rt: Runtime): Promise<Finding> {
  const settings = await safetySettings(rt.db)
  const off = settings.filter(({ setting }) => setting === 'off').map(({ name }) => name)
  return off.length > 0
    ? mend(
        `数据库关掉了 ${off.join('、')}：断电会丢掉已经答复过的消息。`,
        `在 postgresql.conf 里把 ${off.join('、')} 改为 on 并重启数据库（只有演示和测试才关）。`,
      )
    : ok('断电不丢：fsync、full_page_writes、synchronous_commit 都开着。')
}

async function dataKey(rt: Runtime): Promise<Finding> {
  const sealed = await anySealed(rt.db)
  if (sealed === null) return ok('还没有加密过的内容；请把 DATA_KEY 另存一份在安全的地方。')
  try {
    rt.vault.open(sealed)
  } catch {
    return mend(
      'DATA_KEY 打不开数据库里的内容：手机号、身份证号都读不出来。',
      '把 DATA_KEY 换回原来的那一把（另行保存的那份）并重启。换了密钥，旧的内容无法解密。',
    )
  }
  if (rt.vault.keyNames.length > 1)
    return mend(
      '正在更换 DATA_KEY：旧密钥还写在 DATA_KEYS_OTHER 里。',
      '运行 npm run rotate-keys；它说可以之后，拿掉 DATA_KEYS_OTHER 并重启。',
    )
  return ok('打得开数据库里加密的内容。')
}

/** The folder, or the nearest above it that is there. */
function nearestFolder(folder: string): string {
  const path = resolve(folder)
  return existsSync(path) ? path : nearestFolder(dirname(path))
}

async function diskSpace({ config }: Runtime): Promise<Finding> {
  if (config.databaseUrl !== null)
    return cannotTell('数据库在别处，磁盘空间请在数据库那台机器上看。', 'df -h')
  const { bavail, blocks, bsize } = await statfs(nearestFolder(config.dataFolder))
  const [free, all] = [bavail * bsize, blocks * bsize]
  const words = `数据目录所在的磁盘还有 ${(free / GIGABYTE).toFixed(1)} GB（共 ${(all / GIGABYTE).toFixed(0)} GB）`
  return free < DISK_LEAST || free < all * 0.05
    ? mend(`${words}，快满了；满了数据库就停。`, '清理磁盘，或减小 RETENTION_DAYS 后重启。')
    : ok(`${words}。`)
}
