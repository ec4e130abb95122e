import { nameKey } from '../names/name-key.ts'
import type { Entitled } from './entitlement.ts'

/**
 * How we know who a member is, the strongest first. The platforms never give a 微信号, so it is a chain: the person's own
 * join code, the account bound to them, their Official Account by its unionid, a roll call, an approved request, the word
 * of the owner, the remark that staff gave them, the nickname in the group, what they said of themselves.
 */
export const strengths = [
  'join_pass',
  'binding',
  'unionid',
  'roll_call',
  'join_request',
  'word',
  'remark',
  'nickname',
  'registration',
] as const

export type KnownBy = (typeof strengths)[number]

/** What anybody can write. It names a member for the reconcile; it binds no account, gives no right, and yields to proof. */
const weak: ReadonlySet<string> = new Set(['remark', 'nickname'])

export function isWeak(knownBy: string | null): boolean {
  return knownBy !== null && weak.has(knownBy)
}

/** What one member of a reading brings for the chain, and what the database knows of it. */
export interface MemberEvidence {
  address: string
  nickname: string
  /** Remarks that staff gave the account. */
  remarks: readonly string[]
  /** The person whom the account is bound to. */
  boundTo: number | null
  /** The person of the Official Account with the same unionid. */
  unionTo: number | null
  /** The join code whose state they brought. */
  pass: {
    id: number
    personId: number
    isOfGroup: boolean
    /** Taken back, run out or replaced before it was used. */
    isEnded: boolean
    usedAt: Date | null
    usedBy: string | null
  } | null
}

export interface Identified {
  personId: number | null
  knownBy: KnownBy | null
  /** The code that let them in for the first time. */
  usesPass?: number
  /** Whose code they came by though it is not theirs, or had been used by another. */
  misuseOf?: number
}

/**
 * Names the members of one reading. Proof comes first; then whoever is left is named by remark or nickname, where that fits
 * exactly one person who belongs in the group, is not there already, and nobody else claims to be.
 * @param taken persons who are in the group by proof already
 */
export function identifyMembers(
  members: readonly MemberEvidence[],
  entitled: readonly (Pick<Entitled, 'personId'> & { name: string })[],
  taken: ReadonlySet<number> = new Set(),
): Map<string, Identified> {
  const found = new Map<string, Identified>()
  const present = new Set(taken)
  const spent = new Set<number>()
  for (const member of members) {
    const named = byProof(member, spent)
    if (named.usesPass !== undefined) spent.add(named.usesPass)
    // somebody's second account stays unnamed: a person is in a group once
    if (named.personId !== null && present.has(named.personId)) {
      found.set(member.address, { ...named, personId: null, knownBy: null })
      continue
    }
    if (named.personId !== null) present.add(named.personId)
    found.set(member.address, named)
  }
  for (const knownBy of ['remark', 'nickname'] as const) {
    const claims = new Map<number, string[]>()
    for (const member of members) {
      const named = found.get(member.address)
      // who came by another's code is asked about, and not believed
      if (named?.personId !== null || named.misuseOf !== undefined) continue
      const texts = knownBy === 'remark' ? member.remarks : [member.nickname]
      const fits = [...new Set(texts.flatMap(text => fitting(text, entitled)))]
      const [only] = fits
      if (only === undefined || fits.length > 1 || present.has(only)) continue
      claims.set(only, [...(claims.get(only) ?? []), member.address])
    }
    for (const [personId, addresses] of claims) {
      const [address] = addresses
      if (address === undefined || addresses.length > 1) continue
      found.set(address, { ...found.get(address), personId, knownBy })
      present.add(personId)
    }
  }
  return found
}

function byProof(member: MemberEvidence, spent: ReadonlySet<number>): Identified {
  const { pass, boundTo, unionTo, address } = member
  const account = boundTo ?? unionTo
  const misuse = pass?.isOfGroup ? { misuseOf: pass.personId } : {}
  const byAccount: Identified =
    account === null
      ? { personId: null, knownBy: null }
      : { personId: account, knownBy: boundTo === null ? 'unionid' : 'binding' }
  if (!pass?.isOfGroup) return byAccount
  const isTheirs = account === null || account === pass.personId
  // a code that was used before, or comes with somebody else's account, has been passed on: it proves nothing
  const isFirst = pass.usedAt === null && !pass.isEnded && !spent.has(pass.id)
  // one that has let them in ends only when its approval is taken back
  const isKept = pass.usedBy === address && !pass.isEnded
  if (isTheirs && (isFirst || isKept))
    return { personId: pass.personId, knownBy: 'join_pass', ...(isFirst ? { usesPass: pass.id } : {}) }
  // their own old code, found again after it ended, says nothing new about them
  return account === pass.personId ? byAccount : { ...byAccount, ...misuse }
}

/** The persons whose name stands in a remark or nickname, alone or as one of its words (单位-姓名); dots are part of names. */
function fitting(text: string, entitled: readonly { personId: number; name: string }[]): number[] {
  const keys = new Set([nameKey(text), ...text.split(/[\s\-—－_|/：:（）()，,]+/).map(nameKey)])
  keys.delete('')
  return entitled.filter(person => keys.has(nameKey(person.name))).map(person => person.personId)
}
