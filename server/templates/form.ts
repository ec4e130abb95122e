import { z } from 'zod'
import { repeated, source } from './common.ts'
import {
  columnSpan,
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

/** A form that is one table of figures, a row a unit. */
export const formSchema = z.strictObject({
  ...formBasics,
  page: formPage,
  fonts: formFonts,
  /** Row heights in points. */
  heights: z.strictObject({
    attachment: z.number(),
    title: z.number(),
    head: z.number(),
    header: z.array(z.number()).min(1),
    body: z.number(),
    line: z.number(),
    note: z.number(),
    stamp: z.number(),
  }),
  /** From left to right; `path` is the printed heading from the top row down, `width` is in characters. */
  columns: z
    .array(
      z.strictObject({
        figure: z.string().min(1),
        path: z.array(z.string().min(1)).min(1),
        width: z.number().positive(),
      }),
    )
    .min(1),
  head: formHead,
  header: formHeader,
  /** The lines below the rows; `figures` are the columns that carry a number, the others stay blank. */
  lines: z.array(
    z.strictObject({
      id: z.string(),
      text: z.string().min(1),
      label: columnSpan,
      figures: z.union([z.literal('all'), z.array(z.string())]),
      note: z.string().optional(),
      source,
    }),
  ),
  notes: formNotes,
  stamp: formStamp,
})

export type FormLayout = z.infer<typeof formSchema>

/** Finds a header that leaves a hole or covers a cell twice, and spans or figures beyond the columns. */
export function checkForm(form: FormLayout): string[] {
  const problems: string[] = []
  const figures = form.columns.map(column => column.figure)
  for (const figure of repeated(figures)) problems.push(`columns: ${figure} occurs twice`)
  for (const line of form.lines) {
    if (line.figures === 'all') continue
    for (const figure of line.figures)
      if (!figures.includes(figure)) problems.push(`line ${line.id}: unknown figure ${figure}`)
  }
  const spans = [...form.head, ...(form.stamp ? [form.stamp] : [])].map(part => part.columns)
  for (const span of [...spans, ...form.lines.map(line => line.label)]) {
    const { from, to } = parseSpan(span)
    if (from > to || to > form.columns.length) problems.push(`span ${span} is not within the columns`)
  }
  return [...problems, ...checkHeader(form)]
}

function checkHeader(form: FormLayout): string[] {
  const problems: string[] = []
  const width = form.columns.length
  const covered: string[][] = form.heights.header.map(() => Array<string>(width).fill(''))
  for (const { text, range } of form.header) {
    const { top, left, bottom, right } = parseRange(range)
    if (top > bottom || left > right || bottom > covered.length || right > width) {
      problems.push(`header ${text}: ${range} is not within the header`)
      continue
    }
    for (const row of covered.slice(top - 1, bottom)) {
      for (let column = left - 1; column < right; column += 1) {
        if (row[column]) problems.push(`header ${text}: ${range} covers ${row[column]}`)
        row[column] = text
      }
    }
  }
  covered.forEach((row, index) => {
    row.forEach((text, column) => {
      if (!text) problems.push(`header row ${index + 1}: column ${column + 1} has no cell`)
    })
  })
  form.columns.forEach((column, index) => {
    const printed = covered.map(row => row[index]).filter((text, row, all) => text !== all[row - 1])
    if (printed.join('/') !== column.path.join('/'))
      problems.push(
        `column ${column.figure}: the header prints ${printed.join('/')}, not ${column.path.join('/')}`,
      )
  })
  return problems
}
