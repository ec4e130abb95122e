import { generateKeyPairSync } from 'node:crypto'
import { makeCertificate } from '../simulator/pay/certificate.ts'
import type { MerchantSettings } from '../simulator/pay/pay.ts'

const SERIAL = '1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C'

/** The code of the 校项目办 whose merchant it is. */
export const PLAYED_UNIVERSITY = 'U10424'

/** A merchant for tries against the simulator: what the platform knows of it, and the settings of the server. */
export function playedMerchant(appId: string) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const settings: MerchantSettings = {
    mchId: '1900000001',
    appIds: [appId],
    apiV3Key: '0123456789abcdef0123456789abcdef',
    serial: SERIAL,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
  const certificate = makeCertificate({
    serial: SERIAL,
    commonName: '山东科技大学',
    from: new Date('2024-01-01T00:00:00Z'),
    until: new Date('2044-01-01T00:00:00Z'),
    publicKey,
    privateKey,
  })
  return {
    settings,
    /** @param platform what the simulator gives a merchant to check with; null: certificates are fetched */
    environment(
      payUrl: string,
      platform: { serial: string; publicKey: string } | null,
    ): Record<string, string> {
      return {
        WECHAT_PAY_BASE_URL: payUrl,
        WECHAT_PAY_MCH_ID: settings.mchId,
        WECHAT_PAY_UNIT_CODES: PLAYED_UNIVERSITY,
        WECHAT_PAY_APP_ID: appId,
        WECHAT_PAY_CERTIFICATE: certificate.trim(),
        WECHAT_PAY_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim(),
        WECHAT_PAY_API_KEY: settings.apiV3Key,
        ...(platform && {
          WECHAT_PAY_PUBLIC_KEY_ID: platform.serial,
          WECHAT_PAY_PUBLIC_KEY: platform.publicKey.trim(),
        }),
      }
    },
  }
}
