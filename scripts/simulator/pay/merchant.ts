import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Core } from '../core.ts'
import { type KeyMode, type PlatformKey, platformKey } from './keys.ts'

/** Amounts are in fen (分). The defaults are what is told of new merchants; each can be raised on request. */
export interface AmountLimits {
  minPerBill: number
  maxPerBill: number
  perUserDay: number
  perDay: number
}

export interface MerchantSettings {
  mchId: string
  /** The appids that are bound to the merchant. */
  appIds: string[]
  /** 32 characters. */
  apiV3Key: string
  /** Serial number of the merchant's certificate. */
  serial: string
  /** Of that certificate, as PEM (public key or certificate). */
  publicKey: string
  /** Fen; default 1,000,000 yuan. */
  balance?: number
  /** Ids of the transfer scenes that were granted. Default: 1002 alone. */
  scenes?: string[]
  amounts?: Partial<AmountLimits>
  /** How the platform signs for this merchant. Default `public-key`. */
  keyMode?: KeyMode
  /** The simulator's stand-in for the network: `https://pay.example.cn` → `http://127.0.0.1:8080`. */
  reach?: Record<string, string>
  /** How long ACCEPTED and PROCESSING take together, on the clock. Default 0: a bill waits for the user at once. */
  lockMs?: number
  /** How long TRANSFERING takes, on the clock. Default 0. */
  transferMs?: number
  /** How long CANCELING takes, on the clock. Default 0: until somebody looks. */
  cancelMs?: number
  /** What a bill becomes that nobody confirmed within 24 hours; the official pages only say it is closed. Default FAIL. */
  expiredState?: 'FAIL' | 'CANCELLED'
  /** Whether the interfaces before 2025 (`/v3/transfer/batches`) are open to the merchant. Default false. */
  oldTransfers?: boolean
}

export interface Merchant {
  settings: MerchantSettings
  publicKey: KeyObject
  /** Fen that can be spent. */
  balance: number
  amounts: AmountLimits
  scenes: string[]
  platform(): PlatformKey
}

/** @throws RangeError when the APIv3 key is not 32 bytes. */
export function createMerchant(settings: MerchantSettings): Merchant {
  if (Buffer.byteLength(settings.apiV3Key) !== 32) throw new RangeError('the APIv3 key must be 32 bytes')
  return {
    settings,
    publicKey: createPublicKey(settings.publicKey),
    balance: settings.balance ?? 100_000_000,
    amounts: {
      minPerBill: 10,
      maxPerBill: 20_000,
      perUserDay: 200_000,
      perDay: 5_000_000,
      ...settings.amounts,
    },
    scenes: settings.scenes ?? ['1002'],
    platform: () => platformKey(settings.keyMode ?? 'public-key'),
  }
}

/** Whether the openid belongs to somebody under this appid: openids of the world are those of the Official Account. */
export function ownsOpenId(core: Core, merchant: Merchant, appId: string, openId: string): boolean {
  const home = core.accounts[0]?.appId ?? merchant.settings.appIds[0]
  return appId === home && core.world.byOpenId(openId) !== undefined
}

/** `2015-05-20T13:29:35+08:00`. */
export function payTime(moment: number): string {
  return `${new Date(moment + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`
}
