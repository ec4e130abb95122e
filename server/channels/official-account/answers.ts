import { ChannelError } from '../errors.ts'
import type { PlatformAnswer } from '../http.ts'

/** Readers of the platform's answers: lenient in form, since numbers also come as texts. */
export function textOf(answer: PlatformAnswer, name: string): string {
  const value = answer[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** null for what is absent or empty. */
export function optionalTextOf(answer: PlatformAnswer, name: string): string | null {
  return textOf(answer, name) || null
}

/** @throws ChannelError `unreachable` when it is not there, although the platform said success */
export function requiredTextOf(answer: PlatformAnswer, name: string): string {
  const value = textOf(answer, name)
  if (value === '') throw new ChannelError('unreachable', `平台的应答里没有 ${name}`)
  return value
}

export function numberOf(answer: PlatformAnswer, name: string): number {
  const value = Number(textOf(answer, name))
  return Number.isFinite(value) ? value : 0
}

/** A part that is an object; empty when it is something else. */
export function partOf(answer: PlatformAnswer, name: string): PlatformAnswer {
  return asPart(answer[name])
}

/** A list of objects; a single one counts as a list of one. */
export function partsOf(answer: PlatformAnswer, name: string): PlatformAnswer[] {
  const value = answer[name]
  if (Array.isArray(value)) return value.map(asPart)
  return value === undefined || value === null ? [] : [asPart(value)]
}

/** A list of texts or numbers, as texts. */
export function textsOf(answer: PlatformAnswer, name: string): string[] {
  const value = answer[name]
  return Array.isArray(value) ? value.map(String) : []
}

function asPart(value: unknown): PlatformAnswer {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as PlatformAnswer) : {}
}

/** Refuses before the platform would. @throws ChannelError `rejected` */
export function refuseUnless(isFine: boolean, message: string): void {
  if (!isFine) throw new ChannelError('rejected', message)
}

/** Characters as the platform counts them: a Chinese character is one. */
export function characters(text: string): number {
  return [...text].length
}
