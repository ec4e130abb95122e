import type { Chance } from '../demo/chance.ts'
import { type Parcel, packParcel } from './doors.ts'

/** How a request is put on the wire. */
export type Manner =
  /** Whole, on a connection that is kept. */
  | { kind: 'kept' }
  /** On a connection of its own, which the server may well close; silence is an answer, too. */
  | { kind: 'alone' }
  /** On a connection of its own, in pieces. */
  | { kind: 'slow'; pieces: number; pauseMs: number }
  /** On a connection of its own, which is gone before the request is whole. */
  | { kind: 'cut'; at: number; waitMs: number }

/** What an oddity of the transport makes of a callback that is rightly signed. */
type Effect = 'taken' | 'perhaps' | 'refused'

export interface Oddity {
  what: string
  bytes: Buffer
  manner: Manner
  effect: Effect
  /** The answer has no body, whatever its head says. */
  isHead: boolean
}

/** A request that HTTP allows and no platform sends, or that HTTP does not allow. */
export function oddRequest(parcel: Parcel, luck: Chance): Oddity {
  const draw = luck.next()
  if (draw < 0.2) return paced(parcel, luck)
  if (draw < 0.45) return variant(allowed, 'taken', 'kept', parcel, luck)
  if (draw < 0.65) return variant(elsewhere, 'perhaps', 'alone', parcel, luck)
  if (draw < 0.8) return anotherMethod(parcel, luck)
  return variant(broken, 'perhaps', 'alone', parcel, luck)
}

type Change = (parcel: Parcel, luck: Chance) => Parcel | Buffer

function variant(
  changes: readonly Change[],
  effect: Effect,
  kind: 'kept' | 'alone',
  parcel: Parcel,
  luck: Chance,
): Oddity {
  const change = luck.pick(changes)
  const changed = change(parcel, luck)
  const bytes = Buffer.isBuffer(changed) ? changed : packParcel(changed)
  return { what: change.name, bytes, manner: { kind }, effect, isHead: false }
}

function paced(parcel: Parcel, luck: Chance): Oddity {
  const bytes = packParcel(parcel)
  const base = { bytes, isHead: false }
  if (luck.next() < 0.5) {
    const manner: Manner = { kind: 'slow', pieces: luck.between(2, 12), pauseMs: luck.between(1, 25) }
    return { ...base, what: 'slowly', manner, effect: 'taken' }
  }
  const at = luck.between(0, bytes.length - 1)
  return {
    ...base,
    what: `cut at ${at} of ${bytes.length} bytes`,
    manner: { kind: 'cut', at, waitMs: luck.pick([0, 0, 1, 20, 200]) },
    effect: 'refused',
  }
}

function anotherMethod(parcel: Parcel, luck: Chance): Oddity {
  const method = luck.pick([
    'GET',
    'HEAD',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'CONNECT',
    'PROPFIND',
    'QUERY',
    'post',
    'FORGE',
    'P\u0000ST',
    'POST'.repeat(20),
  ])
  return {
    what: `method ${JSON.stringify(method)}`,
    bytes: packParcel({ ...parcel, method }),
    manner: { kind: 'alone' },
    effect: 'refused',
    isHead: method === 'HEAD',
  }
}

function withHeaders(parcel: Parcel, ...headers: [string, string][]): Parcel {
  return { ...parcel, headers: [...parcel.headers, ...headers] }
}

/** Without the Content-Length that packing would add. */
function framedAs(parcel: Parcel, headers: [string, string][], body = parcel.body): Parcel {
  return {
    ...parcel,
    bareHead: true,
    headers: [['Host', '127.0.0.1'], ...parcel.headers, ...headers],
    body,
  }
}

function chunked(body: Buffer, luck: Chance, extension = ''): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const size = Math.min(body.length - at, luck.between(1, 200))
    parts.push(Buffer.from(`${size.toString(16)}${extension}\r\n`), body.subarray(at, at + size))
    parts.push(Buffer.from('\r\n'))
    at += size
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

/** Unusual, and still a whole and clear request. */
const allowed: readonly Change[] = [
  function inChunks(parcel, luck) {
    return framedAs(parcel, [['Transfer-Encoding', 'chunked']], chunked(parcel.body, luck))
  },
  function inChunksWithExtensions(parcel, luck) {
    return framedAs(parcel, [['Transfer-Encoding', 'Chunked']], chunked(parcel.body, luck, ';a="b"'))
  },
  function anotherContentType(parcel, luck) {
    const type = luck.pick([
      'application/xml; charset=GBK',
      'text/plain',
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'TEXT/XML;charset="utf-8"',
    ])
    return { ...parcel, headers: [['Content-Type', type]] }
  },
  function manyHeaders(parcel, luck) {
    const count = luck.between(10, 60)
    return withHeaders(
      parcel,
      ...Array.from({ length: count }, (_, at): [string, string] => [`X-Header-${at}`, 'a'.repeat(50)]),
    )
  },
  function headersLikePrototypes(parcel) {
    return withHeaders(parcel, ['__proto__', 'x'], ['constructor', 'x'], ['toString', 'x'])
  },
  function expectContinue(parcel) {
    return withHeaders(parcel, ['Expect', '100-continue'])
  },
  function moreParameters(parcel, luck) {
    return { ...parcel, rawQuery: luck.pick(['&a=1', '&a', '&=', '&&&', '&%E4%B8%AD=%E6%96%87', '&a[b]=c']) }
  },
  function emptyLineBefore(parcel) {
    return Buffer.concat([Buffer.from('\r\n'), packParcel(parcel)])
  },
]

/** Whole requests that a server may well refuse. */
const elsewhere: readonly Change[] = [
  function anotherPath(parcel, luck) {
    const { path } = parcel
    const paths = [
      `${path}/`,
      `/${path}`,
      `${path}/..`,
      `/x/..${path}`,
      path.toUpperCase(),
      path.replace('w', '%77'),
      path.replaceAll('/', '%2f'),
      `${path}%00`,
      `${path};a=b`,
      '/',
      '/webhooks/__proto__',
      '/%zz',
      '/%c0%af',
      '/\u00ff\u00fe',
      `http://127.0.0.1${path}`,
      `${path}#x`,
      `${path}${'/a'.repeat(4000)}`,
      `${path}${'/a'.repeat(20_000)}`,
    ]
    return { ...parcel, path: luck.pick(paths) }
  },
  function oddParameters(parcel, luck) {
    const queries = [
      '&%zz=1',
      '&a=%',
      '&a=%ff%fe',
      '&a=%00',
      '&a=%ED%A0%80',
      '&\u00ff\u00fe=\u00c0\u0080',
      '&a=1&a=2',
      '&echostr=1',
      '&encrypt_type=raw',
      '&__proto__=1',
      `&a=${'x'.repeat(8000)}`,
      `&a=${'x'.repeat(20_000)}`,
      '&a=1'.repeat(2000),
      '&'.repeat(5000),
      Array.from({ length: 1000 }, (_, at) => `&p${at}=1`).join(''),
      '#&timestamp=0',
      '?timestamp=0',
    ]
    return { ...parcel, rawQuery: luck.pick(queries) }
  },
  function badContentType(parcel, luck) {
    const types = ['', 'x', '/', 'text/', 'text/xml;', 'a'.repeat(5000), '\u00ff/\u00fe', '__proto__']
    return { ...parcel, headers: [['Content-Type', luck.pick(types)]] }
  },
  function noContentType(parcel) {
    return { ...parcel, headers: [] }
  },
  function contentEncoding(parcel, luck) {
    return withHeaders(parcel, ['Content-Encoding', luck.pick(['gzip', 'br', 'identity', 'x', 'gzip, gzip'])])
  },
  function bodyTooLarge(parcel, luck) {
    const filler = Buffer.alloc(luck.pick([300_000, 2_000_000]), ' ')
    return { ...parcel, body: Buffer.concat([parcel.body, filler]) }
  },
  function chunksTooLarge(parcel, luck) {
    const body = Buffer.concat([Buffer.alloc(300_000, ' '), parcel.body])
    return framedAs(parcel, [['Transfer-Encoding', 'chunked']], chunked(body.subarray(0, 270_000), luck))
  },
  function bigHeader(parcel, luck) {
    return withHeaders(parcel, ['X-Big', 'a'.repeat(luck.pick([10_000, 20_000, 200_000]))])
  },
  function tooManyHeaders(parcel) {
    return withHeaders(parcel, ...Array.from({ length: 3000 }, (_, at): [string, string] => [`h${at}`, '']))
  },
  function expectMagic(parcel) {
    return withHeaders(parcel, ['Expect', 'magic'])
  },
  function upgrade(parcel, luck) {
    return withHeaders(
      parcel,
      ['Connection', 'Upgrade'],
      ['Upgrade', luck.pick(['websocket', 'h2c', 'TLS/1.0'])],
    )
  },
  function closing(parcel) {
    return withHeaders(parcel, ['Connection', 'close'])
  },
]

/** Replaces the first line of a packed request. */
function firstLine(parcel: Parcel, change: (line: string) => string): Buffer {
  const bytes = packParcel(parcel)
  const end = bytes.indexOf('\r\n')
  const line = bytes.subarray(0, end).toString('latin1')
  return Buffer.concat([Buffer.from(change(line), 'latin1'), bytes.subarray(end)])
}

/** What is not HTTP. */
const broken: readonly Change[] = [
  function wrongContentLength(parcel, luck) {
    const { length } = parcel.body
    const values = [
      String(length - luck.between(1, length)),
      String(length + luck.between(1, 2000)),
      '-1',
      `+${length}`,
      `${length}.0`,
      `0x${length.toString(16)}`,
      '',
      'abc',
      '99999999999999999999',
      `${length}, ${length}`,
    ]
    return framedAs(parcel, [['Content-Length', luck.pick(values)]])
  },
  function twoContentLengths(parcel, luck) {
    const { length } = parcel.body
    return framedAs(parcel, [
      ['Content-Length', String(length)],
      ['Content-Length', String(length - luck.between(0, 1))],
    ])
  },
  function lengthAndChunks(parcel, luck) {
    return framedAs(
      parcel,
      [
        ['Content-Length', String(parcel.body.length)],
        ['Transfer-Encoding', 'chunked'],
      ],
      luck.next() < 0.5 ? chunked(parcel.body, luck) : parcel.body,
    )
  },
  function noLength(parcel) {
    return framedAs(parcel, [])
  },
  function badChunks(parcel, luck) {
    const bodies = [
      'zz\r\nabc\r\n0\r\n\r\n',
      '-1\r\n\r\n',
      'ffffffffffffffff\r\nabc\r\n',
      '3\r\nabcdef\r\n0\r\n\r\n',
      '3\nabc\n0\n\n',
      '5\r\nabc',
      `3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`,
      '0\r\nContent-Length: 5\r\n\r\n',
    ]
    return framedAs(parcel, [['Transfer-Encoding', 'chunked']], Buffer.from(luck.pick(bodies)))
  },
  function oddTransferEncoding(parcel, luck) {
    const encodings = [
      'identity',
      'gzip, chunked',
      'chunked, chunked',
      'chunked, identity',
      'x',
      ' chunked\u000b',
    ]
    return framedAs(parcel, [['Transfer-Encoding', luck.pick(encodings)]], chunked(parcel.body, luck))
  },
  function badHeaders(parcel, luck) {
    const header = luck.pick<[string, string]>([
      ['X-Nul', 'a\u0000b'],
      ['X Space', 'a'],
      ['X-Folded', 'a\r\n b'],
      ['X-Line', 'a\nb: c'],
      ['', 'no name'],
      ['X-Return', 'a\rb'],
      ['X-\u00ff', 'a'],
    ])
    return withHeaders(parcel, header)
  },
  function noHost(parcel) {
    return { ...parcel, bareHead: true, headers: [['Content-Length', String(parcel.body.length)]] }
  },
  function twoHosts(parcel) {
    return withHeaders(parcel, ['Host', 'example.cn'])
  },
  function anotherVersion(parcel, luck) {
    const version = luck.pick(['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'HTTP/11', 'http/1.1', ''])
    return firstLine(parcel, line => line.replace('HTTP/1.1', version))
  },
  function badFirstLine(parcel, luck) {
    return firstLine(parcel, line =>
      luck.pick([
        line.replace(' ', '  '),
        line.replaceAll(' ', '\t'),
        line.replace(' ', ''),
        `\u0000${line}`,
        line.replace('?', '?\u0000'),
        line.replace('?', '? '),
        `${line} x`,
      ]),
    )
  },
  function bareLineFeeds(parcel) {
    const bytes = packParcel(parcel)
    const end = bytes.indexOf('\r\n\r\n') + 4
    const head = bytes.subarray(0, end).toString('latin1').replaceAll('\r\n', '\n')
    return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end)])
  },
  function somethingElse(_parcel, luck) {
    return luck.pick([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      Buffer.from('16030100c8010000c40303', 'hex'),
      Buffer.from('GET /\r\n\r\n'),
      Buffer.from('<xml></xml>'),
      Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'),
      Buffer.from('\u0000\u0001\u0002\u0003'),
      Buffer.from('\r\n'.repeat(500)),
      Buffer.alloc(70_000, 'A'),
    ])
  },
]
