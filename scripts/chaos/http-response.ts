export interface WireResponse {
  status: number
  /** Names in lower case. */
  headers: Map<string, string>
  body: Buffer
  /** The server closes the connection behind it. */
  isLast: boolean
}

/**
 * Reads the response at the beginning of `bytes`, as strictly as HTTP/1.1 allows; interim ones (1xx) are skipped.
 * @returns null while it is not complete
 * @throws Error when it is not HTTP
 * @see https://www.rfc-editor.org/rfc/rfc9112
 */
export function readResponse(
  bytes: Buffer,
  isHead: boolean,
): { response: WireResponse; rest: Buffer } | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e]*$/.exec(first)?.[1])
  if (!(status >= 100 && status < 600)) throw new Error(`not a status line: ${JSON.stringify(first)}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new Error(`not a header line: ${JSON.stringify(line)}`)
    if (headers.has(name.toLowerCase())) throw new Error(`the header ${name} comes twice`)
    headers.set(name.toLowerCase(), value)
  }
  const rest = bytes.subarray(headEnd + 4)
  if (status < 200) return readResponse(rest, isHead)
  const response = { status, headers, isLast: headers.get('connection') === 'close' }
  if (isHead || status === 204 || status === 304)
    return { response: { ...response, body: Buffer.alloc(0) }, rest }
  const encoding = headers.get('transfer-encoding')
  if (encoding !== undefined) {
    if (encoding !== 'chunked' || headers.has('content-length')) throw new Error('an odd transfer-encoding')
    const chunks = readChunks(rest)
    return chunks && { response: { ...response, body: chunks.body }, rest: chunks.rest }
  }
  const length = headers.get('content-length')
  if (length === undefined || !/^\d+$/.test(length)) throw new Error('no content-length')
  if (rest.length < Number(length)) return null
  return {
    response: { ...response, body: rest.subarray(0, Number(length)) },
    rest: rest.subarray(Number(length)),
  }
}

/** A body in chunks, without trailers. @returns null while it is not complete */
function readChunks(bytes: Buffer): { body: Buffer; rest: Buffer } | null {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const line = bytes.subarray(at, lineEnd).toString('latin1')
    if (!/^[0-9a-f]{1,8}$/i.test(line)) throw new Error(`not the size of a chunk: ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return null
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') throw new Error('a chunk that does not end')
    if (size === 0) return { body: Buffer.concat(parts), rest: bytes.subarray(end + 2) }
    parts.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
  }
}
