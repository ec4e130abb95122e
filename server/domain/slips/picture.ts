/** What a picture is by its first bytes; null: none that is taken here. */
export function pictureKind(bytes: Uint8Array): { mime: string; extension: string } | null {
  const starts = (...head: number[]) => head.every((byte, at) => bytes[at] === byte)
  if (starts(0xff, 0xd8, 0xff)) return { mime: 'image/jpeg', extension: 'jpg' }
  if (starts(0x89, 0x50, 0x4e, 0x47)) return { mime: 'image/png', extension: 'png' }
  return null
}

/** What a camera writes beside the picture: where and when it was taken, and with what. The picture itself stays as it is. */
export function withoutTraces(bytes: Buffer): Buffer {
  return pictureKind(bytes)?.mime === 'image/jpeg' ? jpegWithoutTraces(bytes) : pngWithoutTraces(bytes)
}

/** Drops APP1 (Exif, XMP) and APP13 (IPTC) among the segments before the picture's data. */
function jpegWithoutTraces(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, 2)]
  let at = 2
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number
    // fill bytes may stand before a marker
    if (marker === 0xff) {
      at += 1
      continue
    }
    // start of scan: data from here on
    if (marker === 0xda) break
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    if (marker !== 0xe1 && marker !== 0xed) kept.push(bytes.subarray(at, end))
    at = end
  }
  return Buffer.concat([...kept, bytes.subarray(at)])
}

const pngTraces = new Set(['eXIf', 'tEXt', 'zTXt', 'iTXt', 'tIME'])

/** Drops the chunks that hold Exif and texts. */
function pngWithoutTraces(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, 8)]
  let at = 8
  while (at + 12 <= bytes.length) {
    const end = at + 12 + bytes.readUInt32BE(at)
    if (!pngTraces.has(bytes.toString('latin1', at + 4, at + 8))) kept.push(bytes.subarray(at, end))
    at = end
  }
  return Buffer.concat(kept)
}
