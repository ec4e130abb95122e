import policy from '../../../templates/policies/notices.json' with { type: 'json' }

/** How soon a notice must be in the groups (紧要程度). */
export type Importance = 'normal' | 'same-day' | 'urgent'

/** Who is asked about a group that a notice has not reached (催办), in the order of asking. */
export type StepTo = 'owner' | 'unit' | 'unit-above'

/** When a notice must be there: so long after it was issued, or at a time of the day. Times are `HH:MM` in Asia/Shanghai. */
export type DeadlineRule =
  | { hours: number }
  | { at: string; issuedBefore: string; otherwiseNextDayAt: string }

export interface ImportanceRule {
  id: Importance
  /** In Chinese, as people choose it. */
  name: string
  /** What it means, in a few Chinese words. */
  words: string
  deadline: DeadlineRule
  /** Nothing about it goes out in the quiet hours (安静时间). */
  keepsQuiet: boolean
}

/** `templates/policies/notices.json`. */
export interface NoticeRules {
  importances: readonly ImportanceRule[]
  quiet: { from: string; to: string }
  escalation: { steps: readonly { share: number; to: StepTo }[] }
  /** Within which share of the time all levels of a notice that goes level by level (逐级下发) have begun. */
  byLevel: { share: number }
  /** When a second person has to look at a notice before it goes (第二人审核): what units of these levels send, or reaches so many groups. */
  approval: { levels: readonly string[]; groups: number }
  /** How secrecy is marked on papers, as regular expressions for one line without spaces. */
  files: { markings: readonly string[] }
  /** How much of one kind may wait at once. */
  floods: {
    /** Rehearsals of one unit. */
    rehearsalsWaiting: number
    /** Notices of one author that wait for a second person. */
    draftsWaiting: number
    /** Requests to look at a draft that one person gets one by one in an hour; more are told of together. */
    callsAnHour: number
    bundleMinutes: number
  }
  /** When whoever was asked to look at a draft is reminded, and again when the next office is asked (审核的提醒). */
  approvalCalls: { hours: number; share: number }
  /** Notices of one author that are counted as one. */
  split: { minutes: number; likeness: number }
  /** How many messages about one notice a person gets at most, the request to relay it included. */
  maxMessages: { value: number }
}

export const noticeRules = policy as NoticeRules

export function importanceRule(id: string): ImportanceRule {
  const rule = noticeRules.importances.find(each => each.id === id)
  if (!rule) throw new Error(`unknown importance: ${id}`)
  return rule
}

/** Reads an importance as people write it (普通, 当天, 紧急); null for anything else. */
export function parseImportance(text: string): Importance | null {
  return noticeRules.importances.find(each => each.name === text.trim())?.id ?? null
}
