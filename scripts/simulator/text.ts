/** Length as the platforms count it: bytes of UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

/** The longest beginning of `text` that fits into `bytes` bytes and ends between two characters. */
export function cutToBytes(text: string, bytes: number): string {
  const buffer = Buffer.from(text, 'utf8')
  if (buffer.length <= bytes) return text
  let end = bytes
  // a byte 10xxxxxx continues a character, so the cut moves back to where that character began
  while (end > 0 && ((buffer[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return buffer.subarray(0, end).toString('utf8')
}

/** For the log: enough to recognise a text, never the whole of a long one. */
export function excerpt(text: string, length = 200): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`
}
