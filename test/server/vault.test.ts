import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVault } from '../../server/vault.ts'

const vault = createVault(randomBytes(32).toString('base64'))
const other = createVault(randomBytes(32).toString('base64'))

describe('what is sealed', () => {
  test('opens again, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(vault.open(vault.seal(text))).toBe(text)
      }),
    )
  })

  test('shows nothing of the text and is another each time', () => {
    const sealed = Array.from({ length: 50 }, () => vault.seal('13800000006'))
    expect(new Set(sealed).size).toBe(50)
    for (const one of sealed) expect(Buffer.from(one.slice(3), 'base64').includes('13800000006')).toBe(false)
  })

  test('does not open once a bit of it has changed', () => {
    const sealed = Buffer.from(vault.seal('61080220010307312X').slice(3), 'base64')
    for (const index of sealed.keys()) {
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] as number) ^ 1
      expect(() => vault.open(`k1.${changed.toString('base64')}`)).toThrow()
    }
  })

  test('does not open once it has been cut: a short tag is no tag', () => {
    const sealed = Buffer.from(vault.seal('').slice(3), 'base64')
    for (let length = 0; length < sealed.length; length++)
      expect(() => vault.open(`k1.${sealed.subarray(0, length).toString('base64')}`)).toThrow(/^vault: /)
  })

  test('does not open with another key', () => {
    expect(() => other.open(vault.seal('x'))).toThrow()
  })

  test.each(['', 'k1', 'k1.', 'k2.AAAA', 'plain text', 'k1.!!!!'])('%j is not sealed', sealed => {
    expect(() => vault.open(sealed)).toThrow(/^vault: /)
  })
})

describe('an index', () => {
  test('is the same for the same value, and another for any other value, field or key', () => {
    const index = vault.index('phone', '13800000006')
    expect(index).toMatch(/^[\w-]{22}$/)
    expect(vault.index('phone', '13800000006')).toBe(index)
    const others = [
      vault.index('phone', '13800000007'),
      vault.index('wechat', '13800000006'),
      other.index('phone', '13800000006'),
    ]
    expect(new Set([index, ...others]).size).toBe(4)
  })
})
