/** UTF-8 bytes of a text: the platforms' limits are in bytes, three for a Chinese character. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

/**
 * Splits a text into parts of at most `maxBytes` UTF-8 bytes: at the end of a line or sentence where there is one,
 * never within a character. Nothing is lost but the white space at the cuts.
 */
export function splitText(text: string, maxBytes: number): string[] {
  const parts: string[] = []
  let rest = text.trim()
  while (textBytes(rest) > maxBytes) {
    const cut = cutBefore(rest, maxBytes)
    parts.push(rest.slice(0, cut).trimEnd())
    rest = rest.slice(cut).trimStart()
  }
  if (rest !== '' || parts.length === 0) parts.push(rest)
  return parts
}

const segmenter = new Intl.Segmenter('zh', { granularity: 'grapheme' })

function cutBefore(text: string, maxBytes: number): number {
  let bytes = 0
  let end = 0
  let sentenceEnd = 0
  for (const { segment, index } of segmenter.segment(text)) {
    bytes += textBytes(segment)
    if (bytes > maxBytes) break
    end = index + segment.length
    if (/[\n。！？；!?;]/.test(segment)) sentenceEnd = end
  }
  // a cut at a sentence's end is better only while it does not leave a short stump
  if (sentenceEnd > end / 2) return sentenceEnd
  return end > 0 ? end : cutWithinCharacter(text, maxBytes)
}

/** A character with a heap of combining marks can be longer than a message: then only code points hold together. */
function cutWithinCharacter(text: string, maxBytes: number): number {
  let bytes = 0
  let end = 0
  for (const codePoint of text) {
    bytes += textBytes(codePoint)
    if (bytes > maxBytes && end > 0) break
    end += codePoint.length
  }
  return end
}
