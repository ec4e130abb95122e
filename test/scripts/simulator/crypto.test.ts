import { describe, expect, it } from 'vitest'
import {
  callbackKey,
  decryptMessage,
  encryptMessage,
  signatureOf,
} from '../../../scripts/simulator/crypto.ts'
import vectors from '../../fixtures/crypto-vectors.json' with { type: 'json' }

interface Vector {
  id: string
  kind: string
  token?: string
  key?: string
  receiveid?: string
  timestamp?: string
  nonce?: string
  encrypt?: string
  signature?: string
  message?: string
  random?: string
}

const all = (vectors as Vector[]).filter(vector => vector.kind !== 'gcm')

describe('the simulator’s own crypto', () => {
  it.each(all.filter(vector => vector.signature !== undefined))('signs $id', vector => {
    const parts = [vector.token, vector.timestamp, vector.nonce, vector.encrypt].filter(
      part => part !== undefined,
    )
    expect(signatureOf(...parts)).toBe(vector.signature)
  })

  it.each(all.filter(vector => vector.message !== undefined))('decrypts $id', vector => {
    const key = callbackKey(vector.token ?? '', vector.key ?? '', vector.receiveid ?? '')
    expect(decryptMessage(key, vector.encrypt ?? '')).toBe(vector.message)
  })

  it.each(all.filter(vector => vector.random !== undefined))('encrypts $id', vector => {
    const key = callbackKey(vector.token ?? '', vector.key ?? '', vector.receiveid ?? '')
    expect(encryptMessage(key, vector.message ?? '', Buffer.from(vector.random ?? ''))).toBe(vector.encrypt)
  })

  it('pads with a whole block when the plaintext is aligned', () => {
    const key = callbackKey('t', 'a'.repeat(43), 'corp')
    // 16 + 4 + 8 + 4 = 32 bytes
    expect(Buffer.from(encryptMessage(key, '12345678'), 'base64')).toHaveLength(64)
    expect(decryptMessage(key, encryptMessage(key, '12345678'))).toBe('12345678')
  })

  it('refuses another receive id, uneven bytes and a wrong key', () => {
    const key = callbackKey('t', 'a'.repeat(43), 'corp')
    const encrypted = encryptMessage(key, 'hello')
    expect(() => decryptMessage({ ...key, receiveId: 'other' }, encrypted)).toThrow('receive id')
    expect(() => decryptMessage(key, encrypted.slice(0, 20))).toThrow()
    expect(() => callbackKey('t', 'short', 'corp')).toThrow(RangeError)
  })
})
