import { randomInt } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { updates as updatesTable } from '../../../db/schema/index.ts'
import {
  callbackKey,
  decryptMessage,
  encryptMessage,
  signatureOf,
} from '../../../scripts/simulator/crypto.ts'
import { type Simulator, startSimulator } from '../../../scripts/simulator/index.ts'
import { parseXml, textOf } from '../../../scripts/simulator/xml.ts'
import { type MovableClock, movableClock } from '../../../server/clock.ts'
import { readConfig } from '../../../server/config.ts'
import { deliverDue } from '../../../server/jobs/deliver.ts'
import { type RunningServer, randomDataKey, startServer } from '../../../server/start.ts'
import type { Handler } from '../../../server/updates.ts'
import { cloneDatabase } from '../../support/database.ts'
import { accountSettings, wecomSettings } from '../../support/stage.ts'

export interface Sent {
  method?: string
  path: string
  query?: Record<string, string> | string
  body?: string | Buffer
  /** undefined leaves out a header that is sent otherwise. */
  headers?: Record<string, string | undefined>
}

export interface Got {
  status: number
  type: string
  body: string
}

/** A real server on a real socket, with a handler of the test's own in the bot's place and a simulated WeCom behind. */
export interface Door extends RunningServer {
  sim: Simulator
  clock: MovableClock
  logLines: string[]
  send(sent: Sent): Promise<Got>
  /** A text message of zhangsan in WeCom, sealed as WeCom does. */
  wecomText(text: string, options?: { messageId?: string; xml?: string }): Sent
  /** The same in the Official Account, in the mode of the server. */
  accountText(text: string, options?: { messageId?: string; xml?: string }): Sent
  rows(): Promise<(typeof updatesTable.$inferSelect)[]>
  /** Sends what waits to be sent, and says what zhangsan has been sent in WeCom. */
  messages(): Promise<string[]>
}

export interface DoorOptions {
  handle: Handler['handle']
  answerAtOnce?: Handler['answerAtOnce']
  mode?: 'plain' | 'secure'
  deadlineMs?: number
  /** Another door to the same house: a second process on the same database. */
  databaseUrl?: string
  dataKey?: string
}

export async function openDoor({
  handle,
  answerAtOnce,
  mode = 'secure',
  deadlineMs = 4000,
  ...shared
}: DoorOptions): Promise<Door> {
  const clock = movableClock(new Date('2026-03-05T10:00:00+08:00'))
  const sim = await startSimulator({ clock, seed: 1 })
  sim.addWecomApp(wecomSettings)
  sim.addPerson({ name: '张三', wecomUserId: 'zhangsan' })
  const logLines: string[] = []
  const server = await startServer({
    config: readConfig({
      PORT: '0',
      DATA_KEY: shared.dataKey ?? randomDataKey(),
      CALLBACK_DEADLINE_MS: String(deadlineMs),
      WECOM_BASE_URL: sim.baseUrls.wecom,
      WECOM_CORP_ID: wecomSettings.corpId,
      WECOM_AGENT_ID: String(wecomSettings.agentId),
      WECOM_SECRET: wecomSettings.secret,
      WECOM_TOKEN: wecomSettings.token,
      WECOM_AES_KEY: wecomSettings.aesKey,
      OFFICIAL_ACCOUNT_BASE_URL: sim.baseUrls.officialAccount,
      OFFICIAL_ACCOUNT_APP_ID: accountSettings.appId,
      OFFICIAL_ACCOUNT_SECRET: accountSettings.secret,
      OFFICIAL_ACCOUNT_TOKEN: accountSettings.token,
      OFFICIAL_ACCOUNT_AES_KEY: accountSettings.aesKey,
      OFFICIAL_ACCOUNT_MODE: mode,
    }),
    createBot: () => (answerAtOnce ? { handle, answerAtOnce } : { handle }),
    clock,
    log: pino({ level: 'trace' }, { write: line => void logLines.push(line) }),
    withSchedule: false,
    databaseUrl: shared.databaseUrl ?? (await cloneDatabase()),
  })
  const seconds = () => String(Math.floor(clock.now().getTime() / 1000))
  const xmlOf = (to: string, from: string, text: string, messageId = `${randomInt(1e9)}`) =>
    `<xml><ToUserName><![CDATA[${to}]]></ToUserName><FromUserName><![CDATA[${from}]]></FromUserName>` +
    `<CreateTime>${seconds()}</CreateTime><MsgType><![CDATA[text]]></MsgType>` +
    `<Content><![CDATA[${text}]]></Content><MsgId>${messageId}</MsgId></xml>`

  return {
    ...server,
    sim,
    clock,
    logLines,
    send: sent => exchange(server.url, sent),
    wecomText(text, { messageId, xml } = {}) {
      const { token, aesKey, corpId } = wecomSettings
      const sealed = sealed3(
        callbackKey(token, aesKey, corpId),
        xml ?? xmlOf(corpId, 'zhangsan', text, messageId),
        seconds(),
      )
      return { path: '/webhooks/wecom', ...sealed }
    },
    accountText(text, { messageId, xml } = {}) {
      const { token, aesKey, appId, originalId } = accountSettings
      const plain = xml ?? xmlOf(originalId, 'o-zhangsan', text, messageId)
      const nonce = String(randomInt(1e9))
      const query = { signature: signatureOf(token, seconds(), nonce), timestamp: seconds(), nonce }
      const path = '/webhooks/official-account'
      if (mode === 'plain') return { path, query, body: plain }
      const sealed = sealed3(callbackKey(token, aesKey, appId), plain, seconds(), nonce)
      return { path, query: { ...query, encrypt_type: 'aes', ...sealed.query }, body: sealed.body }
    },
    rows: () => server.rt.db.select().from(updatesTable).orderBy(updatesTable.id),
    async messages() {
      await deliverDue(server.rt)
      return sim
        .inbox(sim.persons()[0]?.id as string)
        .filter(message => message.from === 'bot')
        .map(message => message.text)
    },
    async stop() {
      await server.stop()
      await sim.stop()
    },
  }
}

/** A door for one test, closed with it. */
export async function openDoorForTest(options: DoorOptions): Promise<Door> {
  const door = await openDoor(options)
  onTestFinished(() => door.stop())
  return door
}

function sealed3(
  key: ReturnType<typeof callbackKey>,
  plain: string,
  timestamp: string,
  nonce = String(randomInt(1e9)),
) {
  const encrypted = encryptMessage(key, plain)
  return {
    query: { msg_signature: signatureOf(key.token, timestamp, nonce, encrypted), timestamp, nonce },
    body: `<xml><ToUserName><![CDATA[${key.receiveId}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`,
  }
}

/** With node:http rather than fetch, which would refuse to send some of what is tried here. */
export function exchange(
  base: string,
  { method = 'POST', path, query = {}, body = '', headers = {} }: Sent,
): Promise<Got> {
  const search = typeof query === 'string' ? query : String(new URLSearchParams(query))
  const url = new URL(base)
  const own =
    method === 'GET' ? {} : { 'content-type': 'text/xml', 'content-length': `${Buffer.byteLength(body)}` }
  const all = { ...own, ...headers }
  return new Promise((done, fail) => {
    const request = httpRequest(
      {
        host: url.hostname,
        port: url.port,
        agent: false,
        method,
        path: `${path}${search ? `?${search}` : ''}`,
        headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', fail)
        response.on('end', () =>
          done({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    request.on('error', fail)
    request.end(method === 'GET' ? undefined : body)
  })
}

/** What a passive reply says; empty for an empty acknowledgement. */
export function saidIn({ body }: Got): string {
  if (body === '' || body === 'success') return ''
  const outer = parseXml(body)
  const encrypted = textOf(outer, 'Encrypt')
  if (encrypted === undefined) return textOf(outer, 'Content') ?? ''
  const { token, aesKey, corpId } = wecomSettings
  return textOf(parseXml(decryptMessage(callbackKey(token, aesKey, corpId), encrypted)), 'Content') ?? ''
}

/** Opened by the test: until then whoever waits does not go on. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {}
  const opened = new Promise<void>(done => {
    open = done
  })
  return { opened, open }
}
