import { describe, expect, test } from 'vitest'
import type { Case } from '../../scripts/chaos/cases.ts'
import { keys } from '../../scripts/chaos/doors.ts'
import { readResponse } from '../../scripts/chaos/http-response.ts'
import { faultOf } from '../../scripts/chaos/judge.ts'
import { Ledger } from '../../scripts/chaos/ledger.ts'
import { memoryReport } from '../../scripts/chaos/memory.ts'
import type { StoredUpdate } from '../../scripts/chaos/stored-updates.ts'
import type { Outcome } from '../../scripts/chaos/wire.ts'
import { encryptMessage, signatureOf } from '../../scripts/simulator/crypto.ts'

/** The checks of the chaos must see what they are there to see. */

function someCase(changes: Partial<Case> = {}): Case {
  return {
    index: 1,
    what: 'a case',
    door: 'wecom',
    bytes: Buffer.alloc(0),
    manner: { kind: 'kept' },
    isHead: false,
    expected: 'stored',
    keys: ['hash:a', 'id:1'],
    isRepeated: false,
    ...changes,
  }
}

function answer(status: number, body = '', type = 'text/plain'): Outcome {
  return {
    status,
    headers: new Map([['content-type', type]]),
    body: Buffer.from(body),
    isLast: false,
  }
}

const sentAway: Outcome = {
  status: 303,
  headers: new Map([['location', '/sign-in']]),
  body: Buffer.alloc(0),
  isLast: false,
}
const refusal = answer(401, '{"code":"channel.signature","message":"x"}', 'application/json')

function sealedReply(token = keys.wecom.token): string {
  const encrypted = encryptMessage(keys.wecom, '<xml><MsgType><![CDATA[text]]></MsgType></xml>')
  return (
    `<xml><Encrypt><![CDATA[${encrypted}]]></Encrypt>` +
    `<MsgSignature><![CDATA[${signatureOf(token, '1', '2', encrypted)}]]></MsgSignature>` +
    '<TimeStamp>1</TimeStamp><Nonce><![CDATA[2]]></Nonce></xml>'
  )
}

describe('how a request was answered', () => {
  test.each<[what: string, each: Case, outcome: Outcome, fault: string | null]>([
    ['taken as it should be', someCase(), answer(200), null],
    ['taken with a reply', someCase(), answer(200, sealedReply()), null],
    ['a reply that is wrongly signed', someCase(), answer(200, sealedReply('x')), 'wrongly signed'],
    ['a reply that is no XML', someCase(), answer(200, '<xml>'), 'cannot be read'],
    ['a reply that is anything', someCase(), answer(200, 'Bonjour'), 'odd answer'],
    ['refused though signed', someCase(), refusal, 'refused with 401'],
    ['refused though perhaps signed', someCase({ expected: 'either' }), refusal, null],
    ['forged and refused', someCase({ expected: 'refused' }), refusal, null],
    ['forged and taken', someCase({ expected: 'refused' }), answer(200), 'taken'],
    ['an error of ours', someCase({ expected: 'refused' }), answer(500), 'status 500'],
    ['unavailable', someCase({ expected: 'either' }), answer(503), 'status 503'],
    ['sent elsewhere', someCase(), answer(302), 'status 302'],
    ['sent to sign in, having lost its path', someCase({ expected: 'refused' }), sentAway, null],
    ['sent to sign in though signed', someCase(), sentAway, 'refused with 303'],
    ['a refusal that is a page', someCase({ expected: 'refused' }), answer(404, '<html>'), 'no JSON'],
    [
      'a refusal that tells too much',
      someCase({ expected: 'refused' }),
      answer(400, '{"stack":"at …"}', 'application/json'),
      'stack',
    ],
    ['no answer', someCase(), 'hung up', 'no answer'],
    ['no answer to what is no HTTP', someCase({ manner: { kind: 'alone' } }), 'hung up', null],
  ])('%s', (_, each, outcome, fault) => {
    if (fault === null) expect(faultOf(each, outcome)).toBeNull()
    else expect(faultOf(each, outcome)).toContain(fault)
  })
})

describe('what is stored', () => {
  async function* rowsOf(rows: Partial<StoredUpdate>[]): AsyncGenerator<StoredUpdate> {
    for (const [at, row] of rows.entries())
      yield {
        id: at + 1,
        channel: 'wecom',
        dedupe_key: 'id:1',
        kind: 'text',
        status: 'handled',
        payload_sealed: '{}',
        has_reply: true,
        ...row,
      }
  }

  async function faultsOf(rows: Partial<StoredUpdate>[], isTaken = true): Promise<string[]> {
    const ledger = new Ledger()
    ledger.enter(someCase(), isTaken)
    ledger.enter(someCase({ index: 2, expected: 'refused', keys: [] }), false)
    return (await ledger.compare(rowsOf(rows), sealed => sealed)).faults
  }

  test('as it should be, by its id or by its hash', async () => {
    expect(await faultsOf([{}])).toEqual([])
    expect(await faultsOf([{ dedupe_key: 'hash:a' }])).toEqual([])
  })

  test.each<[what: string, rows: Partial<StoredUpdate>[], fault: string]>([
    ['acknowledged and lost', [], 'is not stored'],
    ['stored under two keys', [{}, { dedupe_key: 'hash:a' }], 'stored 2 times'],
    ['never signed', [{}, { dedupe_key: 'id:2' }], 'never signed'],
    ['signed for another door', [{}, { channel: 'aibot' }], 'never signed'],
    ['with something forged in it', [{ payload_sealed: '{"text":"forged-2"}' }], 'something forged'],
    ['of a forged kind', [{ kind: 'forged' }], 'something forged'],
  ])('%s', async (_, rows, fault) => {
    expect((await faultsOf(rows)).join()).toContain(fault)
  })

  test('what was not acknowledged may be there or not', async () => {
    expect(await faultsOf([], false)).toEqual([])
    expect(await faultsOf([{}], false)).toEqual([])
  })
})

describe('a response', () => {
  const read = (text: string, isHead = false) => readResponse(Buffer.from(text, 'latin1'), isHead)

  test.each<[what: string, text: string, body: string, rest: string]>([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP', 'ok', 'HTTP'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx', 'ok', 'x'],
    ['behind an interim one', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', '', ''],
  ])('%s', (_, text, body, rest) => {
    const found = read(text)
    expect(found?.response.body.toString()).toBe(body)
    expect(found?.rest.toString()).toBe(rest)
  })

  test('to a HEAD has no body', () => {
    expect(read('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', true)?.response.body).toHaveLength(0)
  })

  test.each([
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
  ])('is waited for: %j', text => {
    expect(read(text)).toBeNull()
  })

  test.each([
    ['no status', 'hello\r\n\r\n'],
    ['another version', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['no number', 'HTTP/1.1 abc OK\r\n\r\n'],
    ['no header', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a header twice', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['a bad length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a chunk too long', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n'],
  ])('is refused: %s', (_, text) => {
    expect(() => read(text)).toThrow()
  })
})

describe('memory', () => {
  const samples = (of: (at: number) => number) => Array.from({ length: 100 }, (_, at) => of(at))

  test.each<[what: string, samples: number[], isFlat: boolean | undefined]>([
    ['level', samples(() => 200), true],
    ['warming up', samples(at => (at < 20 ? at * 10 : 200)), true],
    ['up and down', samples(at => 200 + (at % 7) * 10), true],
    ['one peak', samples(at => (at === 50 ? 900 : 200)), true],
    ['growing', samples(at => 200 + at * 2), false],
    ['too short to tell', [1, 2, 3], undefined],
  ])('%s', (_, values, isFlat) => {
    expect(memoryReport(values)?.isFlat).toBe(isFlat)
  })
})
