import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const key43 = z.string().regex(/^[A-Za-z0-9]{43}$/, 'must be exactly 43 letters or digits')
const callbackToken = z.string().regex(/^[A-Za-z0-9]{1,32}$/, 'must be 1 to 32 letters or digits')
const dataKeyForm = /^[A-Za-z0-9+/_-]{43}=?$/
const count = (fallback: number) => z.coerce.number().int().positive().default(fallback)
const yesNo = (fallback: boolean) =>
  z
    .enum(['yes', 'no'])
    .default(fallback ? 'yes' : 'no')
    .transform(answer => answer === 'yes')
const pem = (what: string) =>
  z
    .string()
    .regex(
      new RegExp(`^-----BEGIN [A-Z ]*${what}-----[\\s\\S]+-----END [A-Z ]*${what}-----$`),
      `must be a PEM with BEGIN ${what}: name its file with _FILE`,
    )
/** Paths are put behind it, so it must end where they begin. */
const webAddress = z
  .url({ protocol: /^https?$/, error: 'must be a web address such as https://qunzhen.example.cn' })
  .regex(/^[^?#]*$/, 'must have no query')

/** Every setting of the server. `.env.example` lists the same keys in the same order (a test compares). */
const settings = {
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  PUBLIC_URL: webAddress.optional(),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be postgres://user:password@host:port/database' })
    .optional(),
  DATABASE_POOL: count(10),
  DATA_FOLDER: z.string().default('.data'),
  DATA_KEY: z
    .string({ error: 'is missing: 32 random bytes in base64, made with `openssl rand -base64 32`' })
    .regex(dataKeyForm, 'must be 32 bytes in base64'),
  DATA_KEYS_OTHER: z
    .string()
    .transform(keys => keys.split(',').map(key => key.trim()))
    .pipe(z.array(z.string().regex(dataKeyForm, 'must be keys of 32 bytes in base64, separated by commas')))
    .default([]),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  CALLBACK_FRESHNESS_SECONDS: count(600),
  // the platforms hang up after 5 s; storing and the way back need the rest
  CALLBACK_DEADLINE_MS: z.coerce.number().int().positive().max(4800).default(4000),
  RETENTION_DAYS: count(60),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 characters without spaces')
    .optional(),
  VERIFY_FOLDER: z.string().optional(),
  WECOM_BASE_URL: webAddress.default('https://qyapi.weixin.qq.com'),
  WECOM_CORP_ID: z.string().min(1).optional(),
  WECOM_AGENT_ID: z.coerce.number().int().positive().optional(),
  WECOM_SECRET: z.string().min(1).optional(),
  WECOM_TOKEN: callbackToken.optional(),
  WECOM_AES_KEY: key43.optional(),
  WECOM_VERIFIED: yesNo(true),
  WECOM_ACCOUNT_CAP: count(200),
  WECOM_BOT_TOKEN: callbackToken.optional(),
  WECOM_BOT_AES_KEY: key43.optional(),
  WECOM_BOT_USER_IDS: z.enum(['plain', 'encrypted']).default('plain'),
  OFFICIAL_ACCOUNT_BASE_URL: webAddress.default('https://api.weixin.qq.com'),
  OFFICIAL_ACCOUNT_APP_ID: z.string().min(1).optional(),
  OFFICIAL_ACCOUNT_SECRET: z.string().min(1).optional(),
  OFFICIAL_ACCOUNT_TOKEN: callbackToken.optional(),
  OFFICIAL_ACCOUNT_AES_KEY: key43.optional(),
  OFFICIAL_ACCOUNT_MODE: z.enum(['plain', 'compatible', 'secure']).default('secure'),
  OFFICIAL_ACCOUNT_KIND: z.enum(['service', 'subscription']).default('service'),
  OFFICIAL_ACCOUNT_VERIFIED: yesNo(true),
  OFFICIAL_ACCOUNT_NOTICE_TEMPLATE: z.string().min(1).optional(),
  WECHAT_PAY_BASE_URL: webAddress.default('https://api.mch.weixin.qq.com'),
  WECHAT_PAY_MCH_ID: z
    .string()
    .regex(/^\d{8,12}$/, 'must be 8 to 12 digits')
    .optional(),
  WECHAT_PAY_UNIT_CODES: z
    .string()
    .regex(/^[^\s,，]+([,，]\s*[^\s,，]+)*$/, 'must be codes of units, parted by commas')
    .optional(),
  WECHAT_PAY_APP_ID: z.string().min(1).optional(),
  WECHAT_PAY_CERTIFICATE: pem('CERTIFICATE').optional(),
  WECHAT_PAY_PRIVATE_KEY: pem('PRIVATE KEY').optional(),
  WECHAT_PAY_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{32}$/, 'must be exactly 32 characters')
    .optional(),
  WECHAT_PAY_PUBLIC_KEY_ID: z
    .string()
    .regex(/^PUB_KEY_ID_\d+$/, 'must begin with PUB_KEY_ID_')
    .optional(),
  WECHAT_PAY_PUBLIC_KEY: pem('PUBLIC KEY').optional(),
  WECHAT_PAY_INTERFACE: z.enum(['bills', 'batches']).default('bills'),
  WECHAT_PAY_MOST_FEN_A_BILL: count(20_000),
  WECHAT_PAY_MOST_FEN_A_PERSON_A_DAY: count(200_000),
  WECHAT_PAY_MOST_FEN_A_DAY: count(5_000_000),
} as const

export const settingNames = Object.keys(settings)

export interface WecomConfig {
  baseUrl: string
  corpId: string
  agentId: number
  secret: string
  token: string
  aesKey: string
  /** Whether the corp is verified (已认证): without it customers cannot be reached through the interface. */
  isVerified: boolean
  /** The corp's account cap (帐号上限): an app may send 200 times as many person-messages a day. */
  accountCap: number
}

/** The chat robot (智能机器人) of the same corp, by URL callback. */
export interface AibotConfig {
  token: string
  aesKey: string
  /** `plain` when the robot's maker is a super-administrator; otherwise the platform hides the userids. */
  userIds: 'plain' | 'encrypted'
}

export interface OfficialAccountConfig {
  baseUrl: string
  appId: string
  secret: string
  token: string
  /** Absent in plain mode. */
  aesKey: string | null
  mode: 'plain' | 'compatible' | 'secure'
  /** A subscription account (订阅号) has no template messages, OAuth or QR codes with a scene. */
  kind: 'service' | 'subscription'
  /** Whether the account is verified (已认证): most interfaces need it. */
  isVerified: boolean
  /** The template message with fields `thing1` (标题), `time2` (时间), `thing3` (说明) for owners outside the 48 h window. */
  noticeTemplate: string | null
}

/** A merchant of WeChat Pay who pays subsidies (商家转账). Amounts are fen. */
export interface WechatPayConfig {
  baseUrl: string
  mchId: string
  /** The 校项目办 whose merchant this is, by the codes of the units: others may not pay with it. */
  unitCodes: readonly string[]
  /** Bound to the merchant; the openids of receivers are this account's. */
  appId: string
  /** The merchant's own certificate and private key, PEM. */
  certificate: string
  privateKey: string
  /** 32 characters; opens notifications. */
  apiV3Key: string
  /** WeChat Pay's public key; null for older merchants, whose platform certificates are fetched. */
  platformKey: { id: string; pem: string } | null
  /** `bills`: the present interface; `batches`: that of before 2025. */
  interface: 'bills' | 'batches'
  /** What the merchant may pay, as WeChat Pay has granted it. */
  limits: { bill: number; personDay: number; day: number }
}

export interface Config {
  host: string
  port: number
  /** Without a slash at the end. Absent: the address the server listens on. */
  publicUrl: string | null
  /** Absent: the embedded PostgreSQL in `dataFolder`. */
  databaseUrl: string | null
  databasePool: number
  dataFolder: string
  /** 32 bytes, base64. Encrypts personal data and secrets in the database. */
  dataKey: string
  /** While keys are changed: others that still open what they have sealed. */
  otherDataKeys: string[]
  logLevel: string
  callbackFreshnessSeconds: number
  callbackDeadlineMs: number
  /** Days that handled callbacks and the log of platform calls are kept. */
  retentionDays: number
  /** The bearer token of `GET /metrics`. Absent: there is no such route. */
  metricsToken: string | null
  /** Where the platforms' `WW_verify_….txt` and `MP_verify_….txt` are put. */
  verifyFolder: string
  /** Without a slash at the end; the chat robot needs it, too. */
  wecomBaseUrl: string
  wecom: WecomConfig | null
  aibot: AibotConfig | null
  officialAccount: OfficialAccountConfig | null
  wechatPay: WechatPayConfig | null
}

/** Every problem of the environment at once, one line each. */
export class ConfigError extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(
      ['The configuration has problems (see .env.example):', ...problems.map(line => `  ${line}`)].join('\n'),
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** What a command line needs that works on the database and talks to no platform. */
export type DataConfig = Pick<
  Config,
  'databaseUrl' | 'databasePool' | 'dataFolder' | 'dataKey' | 'otherDataKeys' | 'logLevel'
>

/**
 * Reads the configuration from an environment. `X_FILE` names a file that holds the value of `X`.
 * @throws ConfigError with every problem, not only the first.
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const { raw, problems } = readRaw(environment)
  const parsed = z.object(settings).safeParse(raw)
  if (!parsed.success) for (const issue of parsed.error.issues) problems.push(problemOf(issue))

  const wecomNames = ['WECOM_CORP_ID', 'WECOM_AGENT_ID', 'WECOM_SECRET', 'WECOM_TOKEN', 'WECOM_AES_KEY']
  const botNames = ['WECOM_BOT_TOKEN', 'WECOM_BOT_AES_KEY']
  const accountNames = ['OFFICIAL_ACCOUNT_APP_ID', 'OFFICIAL_ACCOUNT_SECRET', 'OFFICIAL_ACCOUNT_TOKEN']
  if (raw.OFFICIAL_ACCOUNT_MODE !== 'plain') accountNames.push('OFFICIAL_ACCOUNT_AES_KEY')
  const payNames = [
    'WECHAT_PAY_MCH_ID',
    'WECHAT_PAY_UNIT_CODES',
    'WECHAT_PAY_CERTIFICATE',
    'WECHAT_PAY_PRIVATE_KEY',
    'WECHAT_PAY_API_KEY',
  ]
  const payKeyNames = ['WECHAT_PAY_PUBLIC_KEY_ID', 'WECHAT_PAY_PUBLIC_KEY']
  for (const names of [wecomNames, accountNames, botNames, payNames, payKeyNames]) {
    const missing = names.filter(name => raw[name] === undefined)
    if (missing.length > 0 && missing.length < names.length)
      for (const name of missing)
        problems.push(`${name}: is missing (all of ${names.join(', ')} are needed together)`)
  }
  if (![...wecomNames, ...accountNames].some(name => raw[name] !== undefined))
    problems.push(
      'set the WECOM_… or the OFFICIAL_ACCOUNT_… settings, or both: without them nobody can talk to the bot',
    )

  if (raw.WECHAT_PAY_MCH_ID && !raw.WECHAT_PAY_APP_ID && !raw.OFFICIAL_ACCOUNT_APP_ID)
    problems.push('WECHAT_PAY_APP_ID: is missing (or OFFICIAL_ACCOUNT_APP_ID, whose followers are paid)')
  if (raw.WECHAT_PAY_MCH_ID && !raw.PUBLIC_URL?.startsWith('https://'))
    problems.push(
      'PUBLIC_URL: must begin with https:// (WeChat Pay tells how payments ended to no other address)',
    )

  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  return assemble(parsed.data)
}

/** The part of the configuration that the command lines need. @throws ConfigError */
export function readDataConfig(environment: Record<string, string | undefined>): DataConfig {
  const { raw, problems } = readRaw(environment)
  const { DATABASE_URL, DATABASE_POOL, DATA_FOLDER, DATA_KEY, DATA_KEYS_OTHER, LOG_LEVEL } = settings
  const parsed = z
    .object({ DATABASE_URL, DATABASE_POOL, DATA_FOLDER, DATA_KEY, DATA_KEYS_OTHER, LOG_LEVEL })
    .safeParse(raw)
  if (!parsed.success) throw new ConfigError([...problems, ...parsed.error.issues.map(problemOf)])
  const { data } = parsed
  return {
    databaseUrl: data.DATABASE_URL ?? null,
    databasePool: data.DATABASE_POOL,
    dataFolder: data.DATA_FOLDER,
    dataKey: data.DATA_KEY,
    otherDataKeys: data.DATA_KEYS_OTHER,
    logLevel: data.LOG_LEVEL,
  }
}

function readRaw(environment: Record<string, string | undefined>): {
  raw: Record<string, string>
  problems: string[]
} {
  const problems: string[] = []
  const raw: Record<string, string> = {}
  for (const name of settingNames) {
    const file = environment[`${name}_FILE`]
    try {
      const value = file ? readFileSync(file, 'utf8').trim() : environment[name]
      if (value !== undefined && value !== '') raw[name] = value
    } catch {
      problems.push(`${name}_FILE: cannot read ${file}`)
    }
  }
  return { raw, problems }
}

function problemOf(issue: { path: PropertyKey[]; message: string }): string {
  return `${String(issue.path[0])}: ${issue.message}`
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '')
}

function assemble(env: z.output<z.ZodObject<typeof settings>>): Config {
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL ? withoutSlash(env.PUBLIC_URL) : null,
    databaseUrl: env.DATABASE_URL ?? null,
    databasePool: env.DATABASE_POOL,
    dataFolder: env.DATA_FOLDER,
    dataKey: env.DATA_KEY,
    otherDataKeys: env.DATA_KEYS_OTHER,
    logLevel: env.LOG_LEVEL,
    callbackFreshnessSeconds: env.CALLBACK_FRESHNESS_SECONDS,
    callbackDeadlineMs: env.CALLBACK_DEADLINE_MS,
    retentionDays: env.RETENTION_DAYS,
    metricsToken: env.METRICS_TOKEN ?? null,
    verifyFolder: env.VERIFY_FOLDER ?? join(env.DATA_FOLDER, 'verify'),
    wecomBaseUrl: withoutSlash(env.WECOM_BASE_URL),
    wecom:
      env.WECOM_CORP_ID && env.WECOM_AGENT_ID && env.WECOM_SECRET && env.WECOM_TOKEN && env.WECOM_AES_KEY
        ? {
            baseUrl: withoutSlash(env.WECOM_BASE_URL),
            corpId: env.WECOM_CORP_ID,
            agentId: env.WECOM_AGENT_ID,
            secret: env.WECOM_SECRET,
            token: env.WECOM_TOKEN,
            aesKey: env.WECOM_AES_KEY,
            isVerified: env.WECOM_VERIFIED,
            accountCap: env.WECOM_ACCOUNT_CAP,
          }
        : null,
    aibot:
      env.WECOM_BOT_TOKEN && env.WECOM_BOT_AES_KEY
        ? {
            token: env.WECOM_BOT_TOKEN,
            aesKey: env.WECOM_BOT_AES_KEY,
            userIds: env.WECOM_BOT_USER_IDS,
          }
        : null,
    officialAccount:
      env.OFFICIAL_ACCOUNT_APP_ID && env.OFFICIAL_ACCOUNT_SECRET && env.OFFICIAL_ACCOUNT_TOKEN
        ? {
            baseUrl: withoutSlash(env.OFFICIAL_ACCOUNT_BASE_URL),
            appId: env.OFFICIAL_ACCOUNT_APP_ID,
            secret: env.OFFICIAL_ACCOUNT_SECRET,
            token: env.OFFICIAL_ACCOUNT_TOKEN,
            aesKey: env.OFFICIAL_ACCOUNT_AES_KEY ?? null,
            mode: env.OFFICIAL_ACCOUNT_MODE,
            kind: env.OFFICIAL_ACCOUNT_KIND,
            isVerified: env.OFFICIAL_ACCOUNT_VERIFIED,
            noticeTemplate: env.OFFICIAL_ACCOUNT_NOTICE_TEMPLATE ?? null,
          }
        : null,
    wechatPay: wechatPayOf(env),
  })
}

function wechatPayOf(env: z.output<z.ZodObject<typeof settings>>): WechatPayConfig | null {
  const appId = env.WECHAT_PAY_APP_ID ?? env.OFFICIAL_ACCOUNT_APP_ID
  const { WECHAT_PAY_MCH_ID, WECHAT_PAY_CERTIFICATE, WECHAT_PAY_PRIVATE_KEY, WECHAT_PAY_API_KEY } = env
  const { WECHAT_PAY_UNIT_CODES } = env
  if (
    !appId ||
    !WECHAT_PAY_MCH_ID ||
    !WECHAT_PAY_UNIT_CODES ||
    !WECHAT_PAY_CERTIFICATE ||
    !WECHAT_PAY_PRIVATE_KEY ||
    !WECHAT_PAY_API_KEY
  )
    return null
  return {
    baseUrl: withoutSlash(env.WECHAT_PAY_BASE_URL),
    mchId: WECHAT_PAY_MCH_ID,
    unitCodes: WECHAT_PAY_UNIT_CODES.split(/[,，]\s*/),
    appId,
    certificate: WECHAT_PAY_CERTIFICATE,
    privateKey: WECHAT_PAY_PRIVATE_KEY,
    apiV3Key: WECHAT_PAY_API_KEY,
    platformKey:
      env.WECHAT_PAY_PUBLIC_KEY_ID && env.WECHAT_PAY_PUBLIC_KEY
        ? { id: env.WECHAT_PAY_PUBLIC_KEY_ID, pem: env.WECHAT_PAY_PUBLIC_KEY }
        : null,
    interface: env.WECHAT_PAY_INTERFACE,
    limits: {
      bill: env.WECHAT_PAY_MOST_FEN_A_BILL,
      personDay: env.WECHAT_PAY_MOST_FEN_A_PERSON_A_DAY,
      day: env.WECHAT_PAY_MOST_FEN_A_DAY,
    },
  }
}
