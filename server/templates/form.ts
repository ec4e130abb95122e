import { z } from 'zod'
import { id, repeated, source } from './common.ts'

const columnSpan = z.string().regex(/^[A-Z]{1,2}:[A-Z]{1,2}$/, 'must be a span of columns such as A:D')
const cellRange = z.string().regex(/^[A-Z]{1,2}\d+:[A-Z]{1,2}\d+$/, 'must be a range of cells such as A1:C2')
const points = z.number().min(6).max(40)

export const formSchema = z.strictObject({
  id,
  programme: id,
  /** As printed at the head of the page, such as 附件3. */
  attachment: z.string(),
  title: z.string().min(1),
  source,
  /** Raised with every change of the layout and recorded with each export. */
  layoutVersion: z.int().min(1),
  sheetName: z.string().min(1).max(31),
  page: z.strictObject({
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
  }),
  fonts: z.strictObject({
    family: z.string(),
    attachmentPt: points,
    titlePt: points,
    headPt: points,
    headerPt: points,
    bodyPt: points,
    notePt: points,
    source,
  }),
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
  /** The line between title and table; `blank` is printed when the field has no value. */
  head: z.array(
    z.strictObject({ field: z.string(), text: z.string(), blank: z.string(), columns: columnSpan }),
  ),
  /** The cells of the table's header; rows are counted from the first row of the header. */
  header: z.array(z.strictObject({ text: z.string().min(1), range: cellRange })).min(1),
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
  /** Lines under the table; one whose `needs` has no value is left out. */
  notes: z.array(z.strictObject({ text: z.string().min(1), needs: z.array(z.string()), source })),
  stamp: z.strictObject({ text: z.string(), columns: columnSpan, source }).nullable(),
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
