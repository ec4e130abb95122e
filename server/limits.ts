import { createHash } from 'node:crypto'
import {
  countDown,
  countUp,
  type NoSlot,
  type PaceSlot,
  type QuotaSlot,
  takeCalls,
  takeSlots,
  type WindowSlot,
} from '../db/queries/limits.ts'
import { addMonths, dayOf, monthOf, shanghaiMoment } from './clock.ts'
import type { Runtime } from './runtime.ts'

/** At most `count` within any `seconds`. */
interface Pace {
  count: number
  seconds: number
  /** How many may go at once; the others follow evenly. More at once makes the even rate slower. */
  burst: number
  /** Of the burst, how many are kept for what is urgent. */
  reserve: number
  source: string
}

/** At most `count` calls within any `seconds`. */
interface CallWindow {
  count: number
  seconds: number
  /** Never given out: calls of four processes under way, and the rest of the blocks that they hold. */
  slack: number
  /** Only given out to what is urgent. */
  reserve: number
  source: string
}

/** At most `count` in a calendar day or month in China. */
export interface Quota {
  /** `perAccount`: times the corp's account cap. `daysOfMonth`: as many as the month has days. */
  count: number | { perAccount: number } | 'daysOfMonth'
  per: 'day' | 'month'
  /** The part of it that is kept for what is urgent; none when left out. */
  reserve?: number
  /** What is counted, for operators. */
  words: string
  source: string
}

const MESSAGE = 'https://developer.work.weixin.qq.com/document/path/90236'
const FREQUENCY = 'https://developer.work.weixin.qq.com/document/path/90312'
const ROBOT = 'https://developer.work.weixin.qq.com/document/path/99110'
const APPCHAT = 'https://developer.work.weixin.qq.com/document/path/90248'
const CREATE_APPCHAT = 'https://developer.work.weixin.qq.com/document/path/90245'
const MASS = 'https://developer.work.weixin.qq.com/document/path/92135'
const OFFICIAL = 'https://developers.weixin.qq.com/doc/service/guide/dev/api/api_quota.html'

/** How fast the platforms let us be. Where they differ between accounts it is the lowest that they publish. */
export const paces = {
  // beyond these two a message vanishes and nobody is told
  'wecom.member.minute': { count: 30, seconds: 60, burst: 20, reserve: 5, source: MESSAGE },
  'wecom.member.hour': { count: 1000, seconds: 3600, burst: 200, reserve: 50, source: MESSAGE },
  'robot.minute': { count: 20, seconds: 60, burst: 10, reserve: 0, source: ROBOT },
  // silent, and for each member over all their groups. No list of the members is kept, so the app as a whole stays
  // below it: then nobody can get more
  'appchat.member.minute': { count: 200, seconds: 60, burst: 100, reserve: 0, source: APPCHAT },
  // in persons, not in messages
  'appchat.corp.minute': { count: 20_000, seconds: 60, burst: 10_000, reserve: 0, source: APPCHAT },
  'appchat.corp.hour': { count: 150_000, seconds: 3600, burst: 50_000, reserve: 0, source: APPCHAT },
} as const satisfies Record<string, Pace>

/**
 * Calls to one interface. They are many, and a notice wants as many at once as there may be: no even rate, but a window
 * that slides, in which the whole limit may go out at once and as much again when it has passed.
 *
 * What the platform counts later than we do are the calls that are under way, and those whose places are taken and not
 * used yet. Their number is bounded, so that `slack` places are enough, however long a call takes.
 */
export const windows = {
  'wecom.api.minute': { count: 10_000, seconds: 60, slack: 200, reserve: 100, source: FREQUENCY },
  'wecom.api.hour': { count: 150_000, seconds: 3600, slack: 200, reserve: 2500, source: FREQUENCY },
} as const satisfies Record<string, CallWindow>

/** How much the platforms allow in a day or a month. */
export const quotas = {
  'wecom.app.day': {
    count: { perAccount: 200 },
    per: 'day',
    reserve: 0.05,
    words: '企业微信应用消息（人次）',
    source: MESSAGE,
  },
  'appchat.member.day': { count: 10_000, per: 'day', words: '应用群消息（条）', source: APPCHAT },
  'appchat.create.day': { count: 1000, per: 'day', words: '新建应用群（个）', source: CREATE_APPCHAT },
  'mass.group.month': { count: 'daysOfMonth', per: 'month', words: '客户群收到的群发（次）', source: MASS },
  'official.custom.day': { count: 500_000, per: 'day', words: '公众号客服消息（条）', source: OFFICIAL },
  'official.template.day': { count: 100_000, per: 'day', words: '公众号模板消息（条）', source: OFFICIAL },
  'official.mass.day': { count: 100, per: 'day', words: '公众号群发（次）', source: OFFICIAL },
} as const satisfies Record<string, Quota>

export type PaceName = keyof typeof paces
export type WindowName = keyof typeof windows
export type QuotaName = keyof typeof quotas

/**
 * How far the moments at which we take places and the platform counts the calls may lie apart: a call may be under way for
 * ten seconds, and the clocks of our processes differ.
 */
const SLACK_SECONDS = 15

/** Whole milliseconds between two uses: with them `burst` at once and the even rate together stay within `count`. */
export function intervalMs({ count, seconds, burst }: Pick<Pace, 'count' | 'seconds' | 'burst'>): number {
  return Math.ceil(((seconds + SLACK_SECONDS) * 1000) / (count - burst))
}

/** A call that a platform limits. */
export type LimitedCall =
  /** An app message to one member. */
  | { to: 'member'; userId: string }
  | { to: 'robot'; key: string }
  /** A post in an app's group of `size` persons. */
  | { to: 'appchat'; size: number }
  | { to: 'new-appchat' }
  | { to: 'official-custom' | 'official-template' | 'official-mass' }
  /** Any other call to WeCom, by its path. */
  | { to: 'wecom-api'; path: string }

/** There is no place for a call before `until`. Nothing has been called. */
export class MustWait extends Error {
  readonly until: Date
  readonly limit: PaceName | WindowName | QuotaName
  /** A day's or month's quota is used up; otherwise it is a matter of moments. */
  readonly isQuota: boolean
  constructor({ key, freeAt, isQuota }: NoSlot) {
    super(`no place for ${key.split(':')[0]}`)
    this.until = freeAt
    this.limit = key.split(':')[0] as PaceName | WindowName | QuotaName
    this.isQuota = isQuota
  }
}

type LimitRuntime = Pick<Runtime, 'db' | 'clock' | 'config'>

/**
 * Takes the places that a call needs, for all processes together; called right before the call itself.
 * @param isUrgent may use what is kept in reserve
 * @throws MustWait
 */
export async function takePlace(rt: LimitRuntime, call: LimitedCall, isUrgent = false): Promise<void> {
  const { api, pacesOf, quotasOf } = limitsOf(call)
  const block = api === null ? null : await takeFromBlock(rt, api, isUrgent)
  if (pacesOf.length + quotasOf.length === 0) return
  const now = rt.clock.now()
  const noSlot = await takeSlots(
    rt.db,
    pacesOf.map(([name, of, amount]) => paceSlot(name, of, amount, isUrgent)),
    quotasOf.map(name => quotaSlot(rt, name, now, isUrgent)),
    now,
  )
  if (!noSlot) return
  if (block) block.left += 1
  throw new MustWait(noSlot)
}

/** An interface's frequency is shared by all that is sent: its places are taken by the block, so that nobody queues for them. */
const BLOCK_PLACES = 50
/** A place is used soon after it was taken, or not at all. */
const BLOCK_LASTS_MS = 500
/** By so much the clocks of our processes may differ, and a block be used after it was taken. */
const WINDOW_SLACK_MS = 800

interface Block {
  left: number
  until: Date
}

/** What this process has taken and not used yet, for each account by interface. */
const blocksOf = new WeakMap<LimitRuntime['config'], Map<string, Promise<Block>>>()

async function takeFromBlock(rt: LimitRuntime, path: string, isUrgent: boolean): Promise<Block> {
  const blocks = blocksOf.get(rt.config) ?? new Map<string, Promise<Block>>()
  blocksOf.set(rt.config, blocks)
  const key = `${path} ${isUrgent}`
  for (;;) {
    const current = blocks.get(key)
    const block = await (current ?? null)
    if (block && block.left > 0 && block.until > rt.clock.now()) {
      block.left -= 1
      return block
    }
    // whoever finds it used up first fetches the next one for all who wait
    if (blocks.get(key) !== current) continue
    const next = takeBlock(rt, path, isUrgent)
    blocks.set(key, next)
    next.catch(() => blocks.delete(key))
  }
}

async function takeBlock(rt: LimitRuntime, path: string, isUrgent: boolean): Promise<Block> {
  const now = rt.clock.now()
  const noSlot = await takeCalls(rt.db, path, BLOCK_PLACES, windowSlots(isUrgent), now)
  if (noSlot) throw new MustWait(noSlot)
  return { left: BLOCK_PLACES, until: new Date(now.getTime() + BLOCK_LASTS_MS) }
}

const massKey = (chatId: string) => `mass.group.month:${chatId}`

/** Counts a mass message for each of these customer groups. @returns the groups that may have no more this month */
export async function takeMassPlaces(rt: LimitRuntime, chatIds: string[]): Promise<string[]> {
  const { day, amount, count } = quotaSlot(rt, 'mass.group.month', rt.clock.now())
  const keys = [...new Set(chatIds)].map(massKey)
  const taken = await countUp(
    rt.db,
    keys.map(key => ({ key, day, amount, count })),
  )
  return chatIds.filter(chatId => !taken.has(massKey(chatId)))
}

/** The mass message was not made after all. */
export async function returnMassPlaces(rt: LimitRuntime, chatIds: string[]): Promise<void> {
  const { day } = quotaSlot(rt, 'mass.group.month', rt.clock.now())
  await countDown(rt.db, chatIds.map(massKey), day)
}

type NamedPace = [name: PaceName, of: string, amount: number]

/** `api`: the interface whose frequency the call counts for. */
function limitsOf(call: LimitedCall): { api: string | null; pacesOf: NamedPace[]; quotasOf: QuotaName[] } {
  switch (call.to) {
    case 'member': {
      // the platform does not tell upper and lower case apart
      const member = call.userId.toLowerCase()
      return {
        api: '/cgi-bin/message/send',
        pacesOf: [
          ['wecom.member.minute', member, 1],
          ['wecom.member.hour', member, 1],
        ],
        quotasOf: ['wecom.app.day'],
      }
    }
    case 'robot':
      // whoever has the key can post, so it is not kept in the clear
      return {
        api: null,
        pacesOf: [
          ['robot.minute', createHash('sha256').update(call.key).digest('base64url').slice(0, 22), 1],
        ],
        quotasOf: [],
      }
    case 'appchat': {
      // a group of the app holds 2000
      const persons = Math.min(Math.max(1, call.size), 2000)
      return {
        api: '/cgi-bin/appchat/send',
        pacesOf: [
          ['appchat.member.minute', 'all', 1],
          ['appchat.corp.minute', 'all', persons],
          ['appchat.corp.hour', 'all', persons],
        ],
        quotasOf: ['appchat.member.day'],
      }
    }
    case 'new-appchat':
      return { api: '/cgi-bin/appchat/create', pacesOf: [], quotasOf: ['appchat.create.day'] }
    case 'official-custom':
      return { api: null, pacesOf: [], quotasOf: ['official.custom.day'] }
    case 'official-template':
      return { api: null, pacesOf: [], quotasOf: ['official.template.day'] }
    case 'official-mass':
      return { api: null, pacesOf: [], quotasOf: ['official.mass.day'] }
    case 'wecom-api':
      return { api: call.path, pacesOf: [], quotasOf: [] }
  }
}

function windowSlots(isUrgent: boolean): WindowSlot[] {
  return Object.entries(windows).map(([key, { count, seconds, slack, reserve }]) => ({
    key,
    lengthMs: seconds * 1000 + WINDOW_SLACK_MS,
    count: count - slack - (isUrgent ? 0 : reserve),
  }))
}

function paceSlot(name: PaceName, of: string, amount: number, isUrgent: boolean): PaceSlot {
  const pace: Pace = paces[name]
  const interval = intervalMs(pace)
  const atOnce = isUrgent ? pace.burst : pace.burst - pace.reserve
  return { key: `${name}:${of}`, costMs: amount * interval, aheadMs: atOnce * interval }
}

function quotaSlot(rt: LimitRuntime, name: QuotaName, now: Date, isUrgent = true): QuotaSlot {
  const quota: Quota = quotas[name]
  const whole = countOf(quota, now, rt.config.wecom?.accountCap ?? 0)
  const month = monthOf(now)
  const nextMonth = `${addMonths(month, 1)}-01`
  const tomorrow = dayOf(new Date(now.getTime() + 86_400_000))
  return {
    key: name,
    day: quota.per === 'day' ? dayOf(now) : `${month}-01`,
    amount: 1,
    count: isUrgent ? whole : Math.floor(whole * (1 - (quota.reserve ?? 0))),
    renewsAt: shanghaiMoment(quota.per === 'day' ? tomorrow : nextMonth),
  }
}

/** How much a quota allows in the period of `now`. */
export function countOf({ count }: Pick<Quota, 'count'>, now: Date, accountCap: number): number {
  if (count === 'daysOfMonth')
    // the day before the next month's first
    return Number(dayOf(new Date(shanghaiMoment(`${addMonths(monthOf(now), 1)}-01`).getTime() - 1)).slice(8))
  return typeof count === 'number' ? count : count.perAccount * accountCap
}

/** A quota by the name that MustWait gives; null for the name of a pace. */
export function quotaNamed(name: PaceName | WindowName | QuotaName): Quota | null {
  return name in quotas ? quotas[name as QuotaName] : null
}
