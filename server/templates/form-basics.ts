import { z } from 'zod'
import { id, monthDay, source } from './common.ts'

export const columnSpan = z.string().regex(/^[A-Z]{1,2}:[A-Z]{1,2}$/, 'must be a span of columns such as A:D')
export const cellRange = z
  .string()
  .regex(/^[A-Z]{1,2}\d+:[A-Z]{1,2}\d+$/, 'must be a range of cells such as A1:C2')
export const points = z.number().min(6).max(40)

/** Days before the due day on which those who have not sent the form are reminded; empty: something else asks for it. */
const remind = z.array(z.int().min(0).max(60))

/** By when a form is to be sent up. */
const due = z.union([
  /** `MM-DD` in the year of the period, or so many years later. */
  z.strictObject({
    day: z.string().regex(monthDay),
    yearsAfter: z.int().min(0).max(1).default(0),
    remind,
    source,
  }),
  /** A day of the month after the period's (last) month. */
  z.strictObject({ dayAfter: z.int().min(1).max(28), remind, source }),
])

export type FormDue = z.infer<typeof due>

/** What every official form says of itself, whatever its layout. */
export const formBasics = {
  id,
  programme: id,
  /** As printed at the head of the page, such as 附件3; empty where none is printed. */
  attachment: z.string(),
  title: z.string().min(1),
  source,
  /** Raised with every change of the layout and recorded with each export. */
  layoutVersion: z.int().min(1),
  sheetName: z.string().min(1).max(31),
  /** Left out: it is looked at and printed, and not sent up. */
  due: due.optional(),
}

export const formPage = z.strictObject({
  paper: z.literal('A4'),
  orientation: z.enum(['landscape', 'portrait']),
  marginsCm: z.strictObject({
    top: z.number(),
    bottom: z.number(),
    left: z.number(),
    right: z.number(),
    header: z.number(),
    footer: z.number(),
  }),
  /** `&P` is the page's number, `&N` the number of pages. */
  footer: z.string(),
  source,
})

export const formFonts = z.strictObject({
  family: z.string(),
  attachmentPt: points,
  titlePt: points,
  headPt: points,
  headerPt: points,
  bodyPt: points,
  notePt: points,
  source,
})

/** The line between title and table; `blank` is printed when the field has no value. */
export const formHead = z.array(
  z.strictObject({ field: z.string(), text: z.string(), blank: z.string(), columns: columnSpan }),
)

/** The cells of a table's header; rows are counted from the first row of the header. */
export const formHeader = z.array(z.strictObject({ text: z.string().min(1), range: cellRange })).min(1)

/** Lines under the table; one whose `needs` has no value is left out. */
export const formNotes = z.array(
  z.strictObject({ text: z.string().min(1), needs: z.array(z.string()), source }),
)

export const formStamp = z.strictObject({ text: z.string(), columns: columnSpan, source }).nullable()

/** `B:D` as `{ from: 2, to: 4 }`. */
export function parseSpan(span: string): { from: number; to: number } {
  const [from = '', to = ''] = span.split(':')
  return { from: columnNumber(from), to: columnNumber(to) }
}

/** `B1:D3` as the numbers of its rows and columns, counted from 1. */
export function parseRange(range: string): { top: number; left: number; bottom: number; right: number } {
  const [, left = '', top = '', right = '', bottom = ''] = /^([A-Z]+)(\d+):([A-Z]+)(\d+)$/.exec(range) ?? []
  return { top: Number(top), left: columnNumber(left), bottom: Number(bottom), right: columnNumber(right) }
}

function columnNumber(letters: string): number {
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0)
}
