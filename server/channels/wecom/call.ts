import type { WecomConfig } from '../../config.ts'
import { ChannelError } from '../errors.ts'
import type { DownloadedFile, PlatformAnswer, PlatformCall } from '../http.ts'

/** A call with the app's token, made once more with a fresh one where the platform says that it is void. */
export type WecomCall = (request: PlatformCall) => Promise<PlatformAnswer>

/** The same for a file that the platform hands out. */
export type WecomFetch = (
  request: Pick<PlatformCall, 'path' | 'query'>,
  maxBytes: number,
) => Promise<DownloadedFile>

/** What the parts of the client need to know of the app. */
export type AppIdentity = Pick<WecomConfig, 'corpId' | 'agentId'>

/** A text field; numbers too, since ids come as either. Empty when absent. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

export function list(value: unknown): PlatformAnswer[] {
  return Array.isArray(value) ? (value as PlatformAnswer[]) : []
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : []
}

export function record(value: unknown): PlatformAnswer {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as PlatformAnswer) : {}
}

/** A moment in Unix seconds; null when absent or 0. */
export function moment(value: unknown): Date | null {
  const seconds = Number(value ?? 0)
  return seconds > 0 ? new Date(seconds * 1000) : null
}

export function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}

export function count(value: unknown): number {
  return Number(value ?? 0) || 0
}

/** Without the fields that are undefined or null. */
export function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>
}

/** All items of an interface that gives them page by page. */
export async function readPages<T>(
  readPage: (cursor: string) => Promise<{ items: T[]; next: unknown }>,
): Promise<T[]> {
  const all: T[] = []
  let cursor = ''
  do {
    const { items, next } = await readPage(cursor)
    all.push(...items)
    // a platform that gave the same cursor again would keep us here for ever
    if (text(next) === cursor) break
    cursor = text(next)
  } while (cursor !== '')
  return all
}

export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size))
  return chunks
}

/** What became of one part of a call that had to be made in parts. */
export type PartOutcome<Item, T> = { items: Item[] } & (
  | { answer: T; error: null }
  | { answer: null; error: ChannelError }
)

/**
 * Makes one call for each `size` items. When some parts go well and others fail, both are told, since what is done cannot
 * be undone by throwing.
 * @throws ChannelError the first part's, when no part went well
 */
export async function inParts<Item, T>(
  items: readonly Item[],
  size: number,
  call: (items: Item[]) => Promise<T>,
): Promise<PartOutcome<Item, T>[]> {
  const outcomes: PartOutcome<Item, T>[] = []
  for (const part of chunksOf(items, size)) {
    try {
      outcomes.push({ items: part, answer: await call(part), error: null })
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      outcomes.push({ items: part, answer: null, error })
    }
  }
  const [first] = outcomes
  if (first?.error && outcomes.every(outcome => outcome.error !== null)) throw first.error
  return outcomes
}
