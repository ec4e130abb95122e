/** A text without the characters that are none, which the database does not take; line ends become `\n`, tabs stay. */
export function withoutControls(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/(?![\n\t])[\p{Cc}]/gu, '')
}

/** The same for every text of parsed JSON or a query. */
export function cleanTexts(value: unknown): unknown {
  if (typeof value === 'string') return withoutControls(value)
  if (Array.isArray(value)) return value.map(cleanTexts)
  // queries are parsed into objects that have no prototype; bytes are no plain object
  if (
    typeof value !== 'object' ||
    value === null ||
    ![undefined, Object].includes(value.constructor as never)
  )
    return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cleanTexts(each)]))
}
