import { z } from 'zod'
import type { Programme } from './programme.ts'

const words = z.string().min(1)
const note = z.string().optional()
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)
const approval = z.enum(['automatic', 'human'])

/** `templates/policies/admission.json`: what is done with a request once it has been judged. `source` names one of `sources`. */
export const admissionSchema = z.strictObject({
  title: words,
  sources: z.record(z.string(), words),
  limits: z.strictObject({
    account: z.strictObject({ requests: z.int().min(1), hours: z.number().positive(), note, source: words }),
    target: z.strictObject({ accounts: z.int().min(1), hours: z.number().positive(), note, source: words }),
    group: z.strictObject({ waiting: z.int().min(1), hours: z.number().positive(), note, source: words }),
  }),
  review: z.strictObject({
    ownerHours: z.number().positive(),
    unitHours: z.number().positive(),
    /** In Asia/Shanghai; may go over midnight. */
    quiet: z.strictObject({ from: clockTime, to: clockTime }),
    note,
    source: words,
  }),
  pass: z.strictObject({ days: z.number().positive(), note, source: words }),
  invitation: z.strictObject({ days: z.int().min(1), note, source: words }),
  standard: z.strictObject({
    approval,
    /** `{unit}` and `{name}` are put in. */
    nickname: words,
    movesOn: z.boolean(),
    note,
    source: words,
  }),
  kinds: z.array(
    z.strictObject({
      programme: words,
      kind: words,
      approval: approval.optional(),
      /** Roles (and those that count as them) that need no human; absent: all. */
      people: z.array(words).min(1).optional(),
      nickname: words.optional(),
      movesOn: z.boolean().optional(),
      note,
      source: words,
    }),
  ),
  reasons: z.record(
    z.enum(['human_only', 'other_role', 'second_account', 'doubted', 'contested']),
    z.strictObject({ label: words, toReviewer: words, source: words }),
  ),
  answers: z.strictObject({
    /** One answer for all who have not proven who they are, whether they were refused or a human decides. */
    unproven: z.strictObject({ reasons: z.array(words).min(1), words, note, source: words }),
    referred: z.strictObject({ words, source: words }),
  }),
})

export type AdmissionPolicy = z.infer<typeof admissionSchema>
export type AdmissionReason = keyof AdmissionPolicy['reasons']

/** What a schema cannot see: sources, programmes, kinds and roles that are named but not there. */
export function checkAdmission(policy: AdmissionPolicy, programmes: readonly Programme[]): string[] {
  const problems: string[] = []
  JSON.stringify(policy, (key, value) => {
    if (key === 'source' && !(value in policy.sources))
      problems.push(`source ${value} is not among the sources`)
    return value
  })
  const seen = new Set<string>()
  for (const { programme, kind, people } of policy.kinds) {
    const where = `kind ${programme} ${kind}`
    if (seen.has(where)) problems.push(`${where} occurs twice`)
    seen.add(where)
    const found = programmes.find(each => each.id === programme)
    if (!found?.groupKinds.some(each => each.id === kind)) problems.push(`${where} is not there`)
    for (const role of people ?? [])
      if (!found?.roles.some(each => each.id === role)) problems.push(`${where}: unknown role ${role}`)
  }
  return problems
}
