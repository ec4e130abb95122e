import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVault, keyNameOf } from '../../server/vault.ts'

const key = randomBytes(32).toString('base64')
const otherKey = randomBytes(32).toString('base64')
const vault = createVault(key)
const other = createVault(otherKey)

/** As values were sealed before keys had names. */
function sealedNameless(dataKey: string, text: string): string {
  const root = Buffer.from(dataKey, 'base64')
  const nonce = randomBytes(12)
  const cipher = createCipheriv(
    'aes-256-gcm',
    Buffer.from(hkdfSync('sha256', root, 'qunzhen', 'seal', 32)),
    nonce,
  )
  const body = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return `k1.${Buffer.concat(body).toString('base64')}`
}

const bodyOf = (sealed: string) => Buffer.from(sealed.slice(sealed.indexOf('.') + 1), 'base64')

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
    for (const one of sealed) expect(bodyOf(one).includes('13800000006')).toBe(false)
  })

  test.each(['k1', keyNameOf(key)])('does not open as %s once a bit of it has changed', name => {
    const sealed = bodyOf(vault.seal('61080220010307312X'))
    for (const index of sealed.keys()) {
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] as number) ^ 1
      expect(() => vault.open(`${name}.${changed.toString('base64')}`)).toThrow()
    }
  })

  test('does not open once it has been cut: a short tag is no tag', () => {
    const sealed = bodyOf(vault.seal(''))
    for (let length = 0; length < sealed.length; length++)
      expect(() =>
        vault.open(`${vault.currentPrefix}${sealed.subarray(0, length).toString('base64')}`),
      ).toThrow(/^vault: /)
  })

  test('does not open with another key, whatever key it says', () => {
    const sealed = vault.seal('x')
    expect(() => other.open(sealed)).toThrow(/^vault: /)
    expect(() => other.open(other.currentPrefix + sealed.split('.')[1])).toThrow()
    expect(() => other.open(`k1.${sealed.split('.')[1]}`)).toThrow()
  })

  test.each(['', 'k1', 'k1.', 'k2.AAAA', 'plain text', 'k1.!!!!', '.AAAA'])('%j is not sealed', sealed => {
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

  test('is HMAC-SHA-256 of the field and the value, of any length, cut to 128 bits', () => {
    const indexKey = Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), 'qunzhen', 'index', 32))
    const expected = (value: string) =>
      createHmac('sha256', indexKey).update(`wechat\0${value}`).digest().subarray(0, 16).toString('base64url')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000, size: 'max' }), value => {
        expect(vault.index('wechat', value)).toBe(expected(value))
      }),
    )
    for (const length of [0, 1, 50, 57, 64, 85, 86, 256, 5000])
      expect(vault.index('wechat', '榆'.repeat(length))).toBe(expected('榆'.repeat(length)))
  })
})

describe('while keys are changed', () => {
  const both = createVault(key, [otherKey])
  const swapped = createVault(otherKey, [key])

  test('what either key has sealed opens, whichever is the current one; new things are of the current one', () => {
    for (const rt of [both, swapped]) {
      expect(rt.open(vault.seal('镇川'))).toBe('镇川')
      expect(rt.open(other.seal('镇川'))).toBe('镇川')
      expect(rt.open(sealedNameless(key, '镇川'))).toBe('镇川')
      expect(rt.open(sealedNameless(otherKey, '镇川'))).toBe('镇川')
    }
    expect(swapped.seal('x').startsWith(other.currentPrefix)).toBe(true)
    expect(other.open(swapped.seal('x'))).toBe('x')
    expect(() => vault.open(swapped.seal('x'))).toThrow(/^vault: /)
  })

  test('a value is looked up under both, and stored under the current one', () => {
    expect(swapped.indexes('phone', '13800000006')).toEqual([
      other.index('phone', '13800000006'),
      vault.index('phone', '13800000006'),
    ])
    expect(swapped.index('phone', '13800000006')).toBe(other.index('phone', '13800000006'))
    expect(vault.indexes('phone', '13800000006')).toEqual([vault.index('phone', '13800000006')])
  })

  test('what was sealed before keys had names still opens with its one key', () => {
    expect(vault.open(sealedNameless(key, '旧'))).toBe('旧')
    expect(() => vault.open(sealedNameless(otherKey, '旧'))).toThrow()
  })

  test('a key is named after itself, however it is written and wherever it stands in the settings', () => {
    const spelt = key.replaceAll('+', '-').replaceAll('/', '_').replace('=', '')
    expect(keyNameOf(spelt)).toBe(keyNameOf(key))
    expect(createVault(spelt, [key]).keyNames).toEqual([keyNameOf(key)])
    expect([...swapped.keyNames].sort()).toEqual([...both.keyNames].sort())
    expect(keyNameOf(key)).toMatch(/^k[0-9a-f]{8}$/)
    expect(keyNameOf(otherKey)).not.toBe(keyNameOf(key))
  })
})
