import { z } from 'zod'
import policy from '../../../templates/policies/records.json' with { type: 'json' }
import type { Templates } from '../../templates.ts'

const noted = <Value extends z.ZodType>(value: Value) =>
  z.strictObject({ value, note: z.string().min(1), source: z.string().min(1) })
const count = noted(z.number().int().positive())
const time = noted(z.string().regex(/^\d\d:\d\d$/))

/** How often an owner is asked what was posted in their groups. */
export const askingWays = ['daily', 'weekly', 'never'] as const
export type AskingWay = (typeof askingWays)[number]

/** `templates/policies/records.json`: what an office may set about registering messages and activities. */
export const recordRules = z
  .strictObject({
    id: z.literal('records'),
    name: z.string(),
    sureEnough: noted(z.number().min(0).max(1)),
    pictures: z.strictObject({ minutes: count, megabytes: count, most: count }),
    question: z.strictObject({
      standard: noted(z.enum(askingWays)),
      weekday: noted(z.number().int().min(1).max(7)),
      from: time,
    }),
    chatDays: z.strictObject({ first: noted(z.number().int().min(1).max(180)), again: count }),
    activities: z.strictObject({
      mostDaysAhead: count,
      remindFrom: time,
      checkInHours: count,
      wrongCodes: count,
    }),
  })
  .parse(policy)

/** The machine's guess is proposed from here on; below it the owner is asked. */
export function isSureEnough(confidence: number): boolean {
  return confidence >= recordRules.sureEnough.value
}

/** The figure of the sheet that a category counts as, such as `messages.income`. */
export function figureOfCategory(templates: Templates, category: string): string {
  const all = templates.programmes.flatMap(programme => programme.messageCategories ?? [])
  return all.find(each => each.name === category)?.figure ?? category
}
