import { z } from 'zod'
import {
  formBasics,
  formFonts,
  formHead,
  formHeader,
  formNotes,
  formPage,
  formStamp,
  parseRange,
  parseSpan,
} from './form-basics.ts'

const heights = z.strictObject({
  attachment: z.number(),
  title: z.number(),
  head: z.number(),
  header: z.number(),
  body: z.number(),
  note: z.number(),
  stamp: z.number(),
})

/** Paper, fonts and heights of all forms that say nothing else (`templates/forms/shared.json`). */
export const sharedFormSchema = z.strictObject({ page: formPage, fonts: formFonts, heights })
type SharedForm = z.infer<typeof sharedFormSchema>

/** A form that is no plain table of figures: printed fields, several tables, or a picture. */
export const freeFormSchema = z.strictObject({
  ...formBasics,
  kind: z.literal('free'),
  page: formPage.partial().optional(),
  fonts: formFonts.partial().optional(),
  heights: heights.partial().optional(),
  /** Widths of the columns from left to right, in characters. */
  widths: z.array(z.number().positive()).min(1),
  head: formHead,
  /** The printed headers of its tables, by name. */
  headers: z.record(z.string(), formHeader).default({}),
  /** What else is printed, by name: fields, names of rows, headings between tables. */
  labels: z.record(z.string(), z.string()).default({}),
  notes: formNotes,
  stamp: formStamp,
})

type FreeFormFile = z.infer<typeof freeFormSchema>
export type FreeFormLayout = Omit<FreeFormFile, 'page' | 'fonts' | 'heights'> & SharedForm

/** Fills in what a form leaves to what all forms share. */
export function completeForm(form: FreeFormFile, shared: SharedForm): FreeFormLayout {
  return {
    ...form,
    page: { ...shared.page, ...form.page },
    fonts: { ...shared.fonts, ...form.fonts },
    heights: { ...shared.heights, ...form.heights },
  }
}

/** Finds spans beyond the columns, and header cells that cover one another. */
export function checkFreeForm(form: FreeFormFile): string[] {
  const problems: string[] = []
  const width = form.widths.length
  for (const { columns } of [...form.head, ...(form.stamp ? [form.stamp] : [])]) {
    const { from, to } = parseSpan(columns)
    if (from > to || to > width) problems.push(`span ${columns} is not within the columns`)
  }
  for (const [name, cells] of Object.entries(form.headers)) {
    const covered = new Map<string, string>()
    for (const { text, range } of cells) {
      const { top, left, bottom, right } = parseRange(range)
      if (top > bottom || left > right || right > width)
        problems.push(`headers.${name}: ${range} is not within the columns`)
      for (let row = top; row <= bottom; row += 1)
        for (let column = left; column <= Math.min(right, width); column += 1) {
          const other = covered.get(`${row} ${column}`)
          if (other !== undefined) problems.push(`headers.${name}: ${text} covers ${other}`)
          covered.set(`${row} ${column}`, text)
        }
    }
  }
  return problems
}
