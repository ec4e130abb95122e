import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { injured, misspelt } from '../../scripts/chaos/bytes.ts'
import { type Case, type CaseOptions, caseOf, FORGED_MARK, keysOf } from '../../scripts/chaos/cases.ts'
import { keys } from '../../scripts/chaos/doors.ts'
import { phasesOf } from '../../scripts/chaos/phases.ts'
import { chance } from '../../scripts/demo/chance.ts'
import { decryptMessage, signatureOf } from '../../scripts/simulator/crypto.ts'

const NOW = new Date('2026-09-07T09:00:00+08:00')
const options: CaseOptions = {
  seed: 7,
  mode: 'secure',
  doors: ['wecom', 'official-account', 'aibot'],
}

function cases(count: number, changes: Partial<CaseOptions> = {}): Case[] {
  return Array.from({ length: count }, (_, index) => caseOf({ ...options, ...changes }, index, NOW))
}

/** The query and the ciphertext of a request, read as anybody could; null when it is no plain sealed POST. */
function opened({ bytes, door }: Case): { isSigned: boolean; plain: string } | null {
  const text = bytes.toString('latin1')
  const target = /^POST \S+\?(\S+) HTTP\/1\.1\r\n/.exec(text)?.[1]
  const encrypted = /(?:<Encrypt><!\[CDATA\[|"[Ee]ncrypt":")([A-Za-z0-9+/=]+)/.exec(text)?.[1]
  if (target === undefined || encrypted === undefined) return null
  const query = new URLSearchParams(target)
  const part = (name: string) => query.get(name) ?? ''
  const signature = signatureOf(keys[door].token, part('timestamp'), part('nonce'), encrypted)
  return { isSigned: signature === part('msg_signature'), plain: decryptMessage(keys[door], encrypted) }
}

describe('the cases of a seed', () => {
  test('are the same each time, and others with another seed', () => {
    expect(cases(300)).toEqual(cases(300))
    const others = cases(300, { seed: 8 })
    expect(cases(300).filter((each, at) => each.bytes.equals(others[at]?.bytes as Buffer))).toEqual([])
  })

  test('are forged for one half, and nothing forged may be stored', () => {
    const forged = cases(600).filter(each => each.index % 2 === 0)
    expect(new Set(forged.map(each => each.expected))).toEqual(new Set(['refused']))
    expect(forged.flatMap(each => each.keys)).toEqual([])
  })

  test('that must be stored are rightly signed, and stored by their id or their hash', () => {
    const stored = cases(2000).filter(
      each => each.expected === 'stored' && !/inChunks|emptyLineBefore/.test(each.what),
    )
    expect(stored.length).toBeGreaterThan(700)
    for (const each of stored) {
      const found = opened(each)
      expect(found?.isSigned, each.what).toBe(true)
      const hash = createHash('sha256')
        .update(found?.plain ?? '')
        .digest('base64url')
      expect(each.keys).toContain(`hash:${hash}`)
      expect(found?.plain).not.toContain(FORGED_MARK)
    }
  })

  test('do everything to every door', () => {
    const all = cases(6000)
    for (const door of options.doors) {
      const own = all.filter(each => each.door === door)
      expect(new Set(own.map(each => each.expected)).size).toBeGreaterThanOrEqual(4)
      expect(new Set(own.map(each => each.manner.kind))).toEqual(new Set(['kept', 'alone', 'slow', 'cut']))
    }
    // forgeries, strange contents and strange transports, each by its name
    expect(new Set(all.map(each => each.what)).size).toBeGreaterThan(1000)
  })

  test('send compatible mode words in the clear alone, rightly signed for plain mode, as forged', () => {
    const alone = cases(3000, { mode: 'compatible' }).filter(
      each => each.door === 'official-account' && each.what.includes('inTheClearAndSignedForTheQueryOnly'),
    )
    expect(alone.length).toBeGreaterThan(0)
    for (const each of alone) {
      const query = new URLSearchParams(/\?(\S+) HTTP/.exec(each.bytes.toString('latin1'))?.[1])
      const signed = signatureOf(
        keys['official-account'].token,
        query.get('timestamp') ?? '',
        query.get('nonce') ?? '',
      )
      expect([query.get('signature'), query.get('msg_signature')]).toEqual([signed, null])
      expect(each.bytes.includes('Encrypt')).toBe(false)
      expect(each.expected).toBe('refused')
    }
  })

  test('put words in the clear into compatible mode that nobody signed', () => {
    const compatible = cases(200, { mode: 'compatible' }).filter(
      each => each.door === 'official-account' && each.expected === 'stored',
    )
    expect(compatible.some(each => each.bytes.includes(FORGED_MARK))).toBe(true)
  })
})

describe('injured bytes', () => {
  test('are never the same as before', () => {
    const luck = chance(3)
    for (const text of ['', 'a', '<xml></xml>', 'x'.repeat(500)])
      for (let times = 0; times < 300; times++) {
        const before = Buffer.from(text)
        expect(injured(before, luck).equals(before)).toBe(false)
      }
  })

  test('a misspelt text differs in one character', () => {
    const luck = chance(4)
    for (let times = 0; times < 100; times++) {
      const changed = misspelt('0123456789', luck, '0123456789abcdef')
      expect([...changed].filter((character, at) => character !== '0123456789'[at])).toHaveLength(1)
    }
  })
})

describe('what a body may be stored under', () => {
  test.each([
    ['its id', '<xml><MsgId>123</MsgId></xml>', 'id:456'],
    ['what an injury made of the id', '<xml><MsgId>123</MsgId></xml>', 'id:123'],
    ['the id without a NUL in it', '<xml><MsgId>12\u00003</MsgId></xml>', 'id:123'],
    ['the id of a robot, as it is written', '{"msgid":-1}', 'id:-1'],
    ['the id of a robot, as it is meant', '{"msgid":"\\u0061"}', 'id:a'],
  ])('%s', (_, body, key) => {
    expect(keysOf('456', Buffer.from(body))).toContain(key)
  })

  test('no number of more than 20 digits', () => {
    expect(keysOf('456', Buffer.from('1'.repeat(21)))).toHaveLength(2)
  })
})

test.each([1, 10, 3000, 200_000])('%i cases are divided among the modes without a gap', count => {
  const phases = phasesOf(count)
  expect(phases.map(phase => phase.mode)).toEqual(['secure', 'compatible', 'plain'])
  expect(phases[0]?.from).toBe(0)
  expect(phases.at(-1)?.to).toBe(count)
  expect(phases.slice(1).map(phase => phase.from)).toEqual(phases.slice(0, -1).map(phase => phase.to))
})
