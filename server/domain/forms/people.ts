import type { DomainRuntime } from '../../runtime.ts'
import { maskPhone } from '../roster/phone.ts'
import { maskMiddle } from '../roster/text.ts'
import type { Numbers } from './form.ts'

/** A phone number as a form prints it; nothing where none is known. */
export function phoneOn(
  rt: Pick<DomainRuntime, 'vault'>,
  sealed: string | null,
  numbers: Numbers,
): string | null {
  if (sealed === null) return null
  const phone = rt.vault.open(sealed)
  return numbers === 'whole' ? phone : maskPhone(phone)
}

/** The same of a 微信号. */
export function wechatOn(
  rt: Pick<DomainRuntime, 'vault'>,
  sealed: string | null,
  numbers: Numbers,
): string | null {
  if (sealed === null) return null
  const account = rt.vault.open(sealed)
  return numbers === 'whole' ? account : maskMiddle(account, 2, 1)
}

/** 姓名及联系方式 of everybody who holds an office, a line each; nothing where nobody does. */
export function namesAndPhones(
  rt: Pick<DomainRuntime, 'vault'>,
  holders: readonly { name: string; phoneSealed: string | null }[],
  numbers: Numbers,
): string | null {
  const lines = holders.map(({ name, phoneSealed }) =>
    [name, phoneOn(rt, phoneSealed, numbers)].filter(each => each !== null).join(' '),
  )
  return lines.length > 0 ? lines.join('\n') : null
}
