import { createCipheriv, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { makeCertificate } from './certificate.ts'

/** How the platform signs: by its public key (new merchants) or by a certificate that is fetched. */
export type KeyMode = 'public-key' | 'certificate'

export interface PlatformKey {
  /** `PUB_KEY_ID_…` or the certificate's serial number; stands in Wechatpay-Serial. */
  serial: string
  publicKey: KeyObject
  privateKey: KeyObject
  certificate?: { pem: string; from: Date; until: Date }
}

const PUBLIC_KEY_ID = 'PUB_KEY_ID_0114232134912410000000000000'
const CERTIFICATE_SERIAL = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1'
const FROM = new Date('2024-01-01T00:00:00Z')
const UNTIL = new Date('2044-01-01T00:00:00Z')

const made = new Map<KeyMode, PlatformKey>()

/** The platform's key; made when first needed and once per process, because making one takes a while. */
export function platformKey(mode: KeyMode): PlatformKey {
  const known = made.get(mode)
  if (known) return known
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key: PlatformKey =
    mode === 'public-key'
      ? { serial: PUBLIC_KEY_ID, publicKey, privateKey }
      : { serial: CERTIFICATE_SERIAL, publicKey, privateKey, certificate: certify(publicKey, privateKey) }
  made.set(mode, key)
  return key
}

function certify(publicKey: KeyObject, privateKey: KeyObject): NonNullable<PlatformKey['certificate']> {
  const commonName = 'Tenpay.com Root CA (simulator)'
  const input = { serial: CERTIFICATE_SERIAL, commonName, from: FROM, until: UNTIL, publicKey, privateKey }
  return { pem: makeCertificate(input), from: FROM, until: UNTIL }
}

export interface SealedResource {
  algorithm: 'AEAD_AES_256_GCM'
  ciphertext: string
  associated_data: string
  nonce: string
}

/** AES-256-GCM under the merchant's APIv3 key; the tag is the ciphertext's last 16 bytes. */
export function sealResource(apiV3Key: string, plain: string, associatedData: string): SealedResource {
  const nonce = randomBytes(6).toString('hex')
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce))
  cipher.setAAD(Buffer.from(associatedData))
  const bytes = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return {
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: bytes.toString('base64'),
    associated_data: associatedData,
    nonce,
  }
}
