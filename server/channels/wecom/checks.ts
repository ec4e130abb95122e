import { ChannelError } from '../errors.ts'
import { textBytes } from '../text.ts'

// The platform cuts some fields without a word and refuses others with a number. Both are told here before anything is
// sent, in words.

/** @throws ChannelError `rejected` always */
export function refuse(why: string): never {
  throw new ChannelError('rejected', why)
}

/** @throws ChannelError `rejected` when `value` is empty or longer than `max` bytes of UTF-8 */
export function checkBytes(name: string, value: string, max: number): void {
  if (value === '') refuse(`${name}不能为空`)
  const bytes = textBytes(value)
  if (bytes > max) refuse(`${name}有 ${bytes} 字节，最多 ${max} 字节`)
}

/** @throws ChannelError `rejected` when `value` is empty or has more than `max` characters */
export function checkCharacters(name: string, value: string, max: number): void {
  if (value === '') refuse(`${name}不能为空`)
  checkMostCharacters(name, value, max)
}

/** The same for a field that may be empty. */
export function checkMostCharacters(name: string, value: string, max: number): void {
  const characters = [...value].length
  if (characters > max) refuse(`${name}有 ${characters} 个字，最多 ${max} 个`)
}

/** @throws ChannelError `rejected` unless `min` ≤ how many ≤ `max` */
export function checkCount(name: string, items: readonly unknown[], min: number, max: number): void {
  if (items.length < min || items.length > max)
    refuse(min === 0 ? `${name}最多 ${max} 个，现有 ${items.length} 个` : `${name}要有 ${min} 至 ${max} 个`)
}

export function checkForm(name: string, value: string, form: RegExp): void {
  if (!form.test(value)) refuse(`${name}的格式不对`)
}

export function checkUnique(name: string, values: readonly string[]): void {
  if (new Set(values).size < values.length) refuse(`${name}不能重复`)
}
