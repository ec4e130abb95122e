import type { PersonRow } from '../../../db/queries/persons.ts'
import type { Templates } from '../../templates.ts'
import type { Vault } from '../../vault.ts'
import { type Actor, managesUnit } from '../actor.ts'
import { maskIdNumber } from '../roster/id-number.ts'
import { maskPhone } from '../roster/phone.ts'
import { maskMiddle } from '../roster/text.ts'

/**
 * As what somebody looks at a person's numbers: as the person, as an office that runs a unit of theirs, as the owner of a
 * group that they ask for or are in, as a program with an office's token, or as nobody who has anything to do with them.
 * Looking after the server makes nobody more than that.
 */
export type Eye = 'self' | 'office' | 'owner' | 'token' | 'full-token' | 'nobody'

type Shown = 'full' | 'masked' | 'nothing'

/**
 * What each sees of which number. In full nobody sees anything but through `unmask.ts`, which asks why and writes it down,
 * and a token whose office has said so, whose every reading is written down. source: project assumption
 */
const shown: Record<Eye, Record<'phone' | 'idNumber' | 'wechat', Shown>> = {
  self: { phone: 'masked', idNumber: 'masked', wechat: 'masked' },
  office: { phone: 'masked', idNumber: 'masked', wechat: 'nothing' },
  owner: { phone: 'masked', idNumber: 'nothing', wechat: 'nothing' },
  token: { phone: 'masked', idNumber: 'nothing', wechat: 'nothing' },
  'full-token': { phone: 'full', idNumber: 'nothing', wechat: 'nothing' },
  nobody: { phone: 'nothing', idNumber: 'nothing', wechat: 'nothing' },
}

/** Numbers as they are shown; null: none is known, or it is not for this eye. */
export interface ShownNumbers {
  phone: string | null
  idNumber: string | null
  wechat: string | null
}

/** @param places the paths of the units where the person stands, or stood last */
export function eyeOf(
  templates: Templates,
  actor: Actor,
  person: { id: number; places: readonly string[]; ownerIds?: readonly number[] },
): Eye {
  if (actor.person?.id === person.id) return 'self'
  if (person.places.some(path => managesUnit(templates, actor, path))) return 'office'
  if (actor.person !== null && person.ownerIds?.includes(actor.person.id)) return 'owner'
  return 'nobody'
}

/** The one place that decides what of somebody's numbers is put on a page, into an answer or into the chat. */
export function shownNumbers(
  vault: Vault,
  person: Partial<Pick<PersonRow, 'phoneSealed' | 'idNumberSealed' | 'wechatSealed'>>,
  eye: Eye,
): ShownNumbers {
  const open = (how: Shown, sealed: string | null | undefined, mask: (text: string) => string) => {
    if (how === 'nothing' || !sealed) return null
    const text = vault.open(sealed)
    return how === 'full' ? text : mask(text)
  }
  const sees = shown[eye]
  return {
    phone: open(sees.phone, person.phoneSealed, maskPhone),
    idNumber: open(sees.idNumber, person.idNumberSealed, maskIdNumber),
    wechat: open(sees.wechat, person.wechatSealed, text => maskMiddle(text, 2, 1)),
  }
}
