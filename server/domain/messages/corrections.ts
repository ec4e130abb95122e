import { excerptsDecidedByPersons, namesAmong } from '../../../db/queries/corrections.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { isCategory } from './categories.ts'
import { findPersonalData } from './personal-data.ts'

/** A line of `templates/training/categories.jsonl`. */
export interface TrainingLine {
  label: string
  form: 'chat'
  text: string
}

const PORTION = 500
/** Names are of two to four characters; longer ones hold a dot and are found by their first part. */
const NAME_LENGTHS = [2, 3, 4]
/** Shorter first words teach nothing. */
const SHORTEST = 8

/**
 * What people have said of the category of messages, for the next training: the first words, each text once. Whatever holds
 * a number that was masked, other personal data, or the name of somebody who is known here is left out.
 * @param sinceDay `YYYY-MM-DD`; null: from the beginning
 */
export async function* correctionsForTraining(
  rt: DomainRuntime,
  sinceDay: string | null,
): AsyncGenerator<TrainingLine> {
  const seen = new Set<string>()
  for (let after = 0; ; ) {
    const rows = await excerptsDecidedByPersons(rt.db, { after, sinceDay }, PORTION)
    const last = rows.at(-1)
    if (!last) return
    after = last.id
    const clean = rows.filter(
      ({ excerpt, category }) => isCategory(category) && excerpt !== null && isImpersonal(excerpt),
    )
    const parts = new Map(clean.map(row => [row.id, partsOf(row.excerpt as string)]))
    const names = await namesAmong(rt.db, [...new Set([...parts.values()].flat())])
    for (const { id, excerpt, category } of clean) {
      const text = (excerpt as string).replace(/\s+/g, ' ').trim()
      if (seen.has(text) || parts.get(id)?.some(part => names.has(part))) continue
      seen.add(text)
      yield { label: category, form: 'chat', text }
    }
  }
}

function isImpersonal(excerpt: string): boolean {
  return [...excerpt].length >= SHORTEST && !excerpt.includes('*') && findPersonalData(excerpt).length === 0
}

/** Everything in a text that might be a name. */
function partsOf(excerpt: string): string[] {
  const characters = [...excerpt]
  return NAME_LENGTHS.flatMap(length =>
    characters.slice(0, characters.length - length + 1).flatMap((_, at) => {
      const part = characters.slice(at, at + length).join('')
      return /^\p{Script=Han}+$/u.test(part) ? [part] : []
    }),
  )
}
