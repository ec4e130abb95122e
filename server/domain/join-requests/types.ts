import type { NameShape } from '../names/full-name.ts'

/** One roster row as the audit needs it. Rows of one human being share `personKey`. */
export interface RosterPerson {
  id: number
  personKey: string
  name: string
  phone: string | null
  idNumber: string | null
  wechat: string | null
  category: string
  status: '在岗' | '待派遣' | '离岗' | string
  /** First day of service, `YYYY-MM-DD`; null = open. */
  startsOn: string | null
  /** Last day of service, `YYYY-MM-DD`; null = open. */
  endsOn: string | null
}

/**
 * A roster row that may be the applicant, seen from the group asked for.
 *
 * `this_account`: the row's account is in the group, and the request comes from it or from an account nobody can tell.
 * `other_account`: the row's account is in the group, the request comes from another one.
 */
export interface Candidate extends RosterPerson {
  inScope: boolean
  membership: 'none' | 'this_account' | 'other_account'
}

export interface JoinRequestText {
  text: string
  at: Date
  /** The account the platform says the request comes from; null when it does not tell. */
  senderAccount: string | null
}

/** `referred`: a person decides. The command line prints `approve`, `reject`, `review`. */
export type Decision = 'approved' | 'rejected' | 'referred'

export type Reason =
  | 'matched'
  | 'identity_mismatch'
  | 'insufficient'
  | 'not_on_roster'
  | 'wrong_group'
  | 'service_ended'
  | 'already_member'
  | 'ambiguous'
  | 'not_started'

export interface Judgement {
  decision: Decision
  reason: Reason
  /** Id of the roster row the decision is about; null when it is about nobody in particular. */
  row: number | null
  /** One Chinese sentence for the reviewer, without a full phone or ID number. */
  explanation: string
  /** Ids of roster rows that may be meant, the likeliest first. */
  candidates: number[]
}

/** `stated`: after 姓名, 我是 and the like. `placed`: stands where a name stands, nothing introduces it. */
export type NameStrength = 'stated' | 'placed'

/** A string that stands in the text as the applicant's own name. Whether anybody is called so is not known here. */
export interface ClaimedName {
  /** Name key. */
  key: string
  strength: NameStrength
  shape: Exclude<NameShape, 'none'>
  /** Where it begins among the Han characters of the first reading. */
  start: number
  /** Nothing goes on after it: punctuation, a number, the end. Chance finds in running text are seldom closed. */
  isClosed: boolean
}

/** The Han characters of a text and what stands between them; a name may be written with spaces or dots inside. */
export interface Reading {
  characters: string[]
  /** `gaps[i]`: what stands before character `i`, at index `characters.length` what stands after the last one. */
  gaps: string[]
}

/** The last characters of a number. `any`: the text does not say of which. */
export interface ShortTail {
  of: 'phone' | 'idNumber' | 'any'
  end: string
}

/** What a text claims. Nothing here is believed; everything is compared with the roster. */
export interface Claims {
  /** The text after `cleanText`. */
  text: string
  /** The plain reading first, then readings with brackets left out or rare characters put in for their spellings. */
  readings: Reading[]
  /** Every string that may be a name, as a name key: the look-up by equality finds any roster name in the text. */
  nameKeys: string[]
  /** Sound keys of short strings in the text, and of names typed in pinyin. */
  soundKeys: string[]
  /** Names typed in pinyin, as sound keys in both orders of surname and given name. */
  latinNames: string[]
  claimedNames: ClaimedName[]
  /** Full phones of the applicant's own, 11 digits. */
  phones: string[]
  /** Numbers that look like a phone with a digit missing or too many. */
  unclearPhones: string[]
  /** Phones said to be somebody else's: emergency contact, referrer. Not evidence. */
  otherPhones: string[]
  /** Full ID numbers, 18 characters with capital X. */
  idNumbers: string[]
  /** Numbers that look like an ID number with a digit missing or too many. */
  unclearIdNumbers: string[]
  /** Ends of an ID number, six characters or more, capital X. */
  idTails: string[]
  /** Ends of a number that prove nothing (身份证后四位3771, 138****5678), and speak against whom they do not fit. */
  shortTails: ShortTail[]
  asksForAnother: boolean
  asksForTwo: boolean
  /** Words that make it doubtful whether the applicant speaks of himself; they stop an approval and nothing else. */
  mentionsThirdPerson: boolean
  claimsOffice: boolean
  statesTransfer: boolean
}
