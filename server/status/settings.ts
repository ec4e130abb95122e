import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'

/** A setting as it is in force. */
export interface SettingInForce {
  name: string
  /** What it is for, from `.env.example`. */
  about: string
  /** null: not set. Never a secret. */
  value: string | null
  isSecret: boolean
  /** Why something is missing that is needed; null: nothing is. */
  missing: string | null
}

export interface SettingSection {
  title: string
  settings: SettingInForce[]
}

interface Entry {
  isSecret?: true
  value(config: Config): string | number | boolean | null | undefined
  /** What does not work without it, where it is needed. */
  missing?(config: Config): string | null
}

const yesNo = (answer: boolean | undefined) => (answer === undefined ? undefined : answer ? 'yes' : 'no')
const needed = (words: string) => () => words
const wecom = (value: (config: NonNullable<Config['wecom']>) => string | number): Entry => ({
  value: config => config.wecom && value(config.wecom),
})
const account = (value: (config: NonNullable<Config['officialAccount']>) => string | null): Entry => ({
  value: config => config.officialAccount && value(config.officialAccount),
})
const secret = (entry: Entry): Entry => ({ ...entry, isSecret: true })

/** Where each setting is to be found in the configuration. All of `settingNames` are here (a test compares). */
const entries: Readonly<Record<string, Entry>> = {
  HOST: { value: config => config.host },
  PORT: { value: config => config.port },
  PUBLIC_URL: {
    value: config => config.publicUrl,
    missing: needed('机器人发出的链接、网页登录和平台的回调都要用它'),
  },
  DATABASE_URL: { value: config => config.databaseUrl && withoutPassword(config.databaseUrl) },
  DATABASE_POOL: { value: config => config.databasePool },
  DATA_FOLDER: { value: config => config.dataFolder },
  DATA_KEY: secret({ value: config => config.dataKey }),
  DATA_KEYS_OTHER: secret({
    value: config => (config.otherDataKeys.length > 0 ? config.otherDataKeys.join(',') : null),
  }),
  LOG_LEVEL: { value: config => config.logLevel },
  CALLBACK_FRESHNESS_SECONDS: { value: config => config.callbackFreshnessSeconds },
  CALLBACK_DEADLINE_MS: { value: config => config.callbackDeadlineMs },
  RETENTION_DAYS: { value: config => config.retentionDays },
  METRICS_TOKEN: secret({ value: config => config.metricsToken }),
  VERIFY_FOLDER: { value: config => config.verifyFolder },
  WECOM_BASE_URL: { value: config => config.wecomBaseUrl },
  WECOM_CORP_ID: wecom(config => config.corpId),
  WECOM_AGENT_ID: wecom(config => config.agentId),
  WECOM_SECRET: secret(wecom(config => config.secret)),
  WECOM_TOKEN: secret(wecom(config => config.token)),
  WECOM_AES_KEY: secret(wecom(config => config.aesKey)),
  WECOM_VERIFIED: { value: config => yesNo(config.wecom?.isVerified) },
  WECOM_ACCOUNT_CAP: wecom(config => config.accountCap),
  WECOM_BOT_TOKEN: { isSecret: true, value: config => config.aibot?.token },
  WECOM_BOT_AES_KEY: { isSecret: true, value: config => config.aibot?.aesKey },
  WECOM_BOT_USER_IDS: { value: config => config.aibot?.userIds },
  OFFICIAL_ACCOUNT_BASE_URL: account(config => config.baseUrl),
  OFFICIAL_ACCOUNT_APP_ID: account(config => config.appId),
  OFFICIAL_ACCOUNT_SECRET: secret(account(config => config.secret)),
  OFFICIAL_ACCOUNT_TOKEN: secret(account(config => config.token)),
  OFFICIAL_ACCOUNT_AES_KEY: secret(account(config => config.aesKey)),
  OFFICIAL_ACCOUNT_MODE: account(config => config.mode),
  OFFICIAL_ACCOUNT_KIND: account(config => config.kind),
  OFFICIAL_ACCOUNT_VERIFIED: { value: config => yesNo(config.officialAccount?.isVerified) },
  OFFICIAL_ACCOUNT_NOTICE_TEMPLATE: {
    ...account(config => config.noticeTemplate),
    missing: config =>
      config.officialAccount?.kind === 'service' ? '没有它，48 小时没有发言的群主叫不到' : null,
  },
}

const sections: readonly { title: string; names: RegExp; missing(config: Config): string | null }[] = [
  { title: '服务和数据', names: /^(?!WECOM_|OFFICIAL_)/, missing: () => null },
  {
    title: '企业微信应用',
    names: /^WECOM_(?!BOT_)/,
    missing: config => (config.wecom ? null : '没有配置企业微信，它的群和消息都不可用'),
  },
  { title: '智能机器人', names: /^WECOM_BOT_/, missing: () => null },
  {
    title: '公众号',
    names: /^OFFICIAL_/,
    missing: config => (config.officialAccount ? null : '没有配置公众号，微信里的人只能通过企业微信联系'),
  },
]

/** Characters at the end of a secret that are shown, so that two can be told apart; a short one shows none. */
const TAIL = 4
const LONG_ENOUGH = 16

/** The configuration in force, by section. Secrets are only said to be there. */
export function settingsInForce(config: Config): (SettingSection & { missing: string | null })[] {
  return sections.map(({ title, names, missing }) => ({
    title,
    missing: missing(config),
    settings: [...abouts()]
      .filter(([name]) => names.test(name))
      .map(([name, about]) => {
        const entry = entries[name]
        const found = entry?.value(config)
        const value = found === undefined || found === null || found === '' ? null : String(found)
        const isSecret = entry?.isSecret === true
        return {
          name,
          about,
          value: value !== null && isSecret ? saySecret(name, value) : value,
          isSecret,
          missing: value === null ? (entry?.missing?.(config) ?? null) : null,
        }
      }),
  }))
}

function saySecret(name: string, value: string): string {
  // the keys of all personal data show nothing at all
  if (name.startsWith('DATA_KEY') || value.length < LONG_ENOUGH) return '已设置'
  return `已设置（末 ${TAIL} 位 ${value.slice(-TAIL)}）`
}

function withoutPassword(address: string): string {
  const url = new URL(address)
  if (url.password !== '') url.password = '***'
  url.search = ''
  return url.toString()
}

let read: ReadonlyMap<string, string> | undefined

/** What each setting is for: the comment above it in `.env.example`, in its order. */
function abouts(): ReadonlyMap<string, string> {
  if (read) return read
  const lines = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('\n')
  read = new Map(
    lines.flatMap((line, index) => {
      const name = /^#?([A-Z_]+)=/.exec(line)?.[1]
      const about = (lines[index - 1] ?? '').replace(/^# ?/, '').replace(/。?启用时去掉行首的 #$/, '')
      return name ? [[name, about] as const] : []
    }),
  )
  return read
}
