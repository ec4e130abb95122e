import { type KeyObject, sign } from 'node:crypto'

// Just enough DER for one self-signed certificate, which node:crypto reads but does not make.
const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const VERSION = 0xa0
const SHA256_WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex')
const COMMON_NAME = Buffer.from('0603550403', 'hex')

function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  if (content.length < 128) return Buffer.concat([Buffer.from([tag, content.length]), content])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const bytes = length.subarray(length.findIndex(byte => byte !== 0))
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content])
}

function name(commonName: string): Buffer {
  return element(
    SEQUENCE,
    element(SET, element(SEQUENCE, COMMON_NAME, element(UTF8_STRING, Buffer.from(commonName)))),
  )
}

/** `YYMMDDHHMMSSZ`: good until 2049. */
function time(moment: Date): Buffer {
  const digits = moment.toISOString().replaceAll(/[^0-9]/g, '')
  return element(UTC_TIME, Buffer.from(`${digits.slice(2, 14)}Z`))
}

export interface CertificateInput {
  /** 20 bytes as hex; the first byte from 01 to 7f, because serial numbers are positive. */
  serial: string
  commonName: string
  from: Date
  until: Date
  publicKey: KeyObject
  privateKey: KeyObject
}

/** @returns a self-signed X.509 certificate as PEM. */
export function makeCertificate(input: CertificateInput): string {
  const body = element(
    SEQUENCE,
    element(VERSION, element(INTEGER, Buffer.from([2]))),
    element(INTEGER, Buffer.from(input.serial, 'hex')),
    SHA256_WITH_RSA,
    name(input.commonName),
    element(SEQUENCE, time(input.from), time(input.until)),
    name(input.commonName),
    input.publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('RSA-SHA256', body, input.privateKey)
  const whole = element(
    SEQUENCE,
    body,
    SHA256_WITH_RSA,
    element(BIT_STRING, Buffer.concat([Buffer.from([0]), signature])),
  )
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
