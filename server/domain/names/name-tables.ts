import policy from '../../../templates/policies/join-requests.json' with { type: 'json' }
import { WordSet } from './word-set.ts'

const words = (list: string): string[] => list.split(' ').filter(word => word !== '')
const { names } = policy

/** The name tables of `templates/policies/join-requests.json`, ready for look-ups. */
export const nameTables = {
  surnames: new Set(Array.from(names.surnames)),
  compoundSurnames: new Set(words(names.compoundSurnames)),
  givenParts: new Set(words(names.givenParts)),
  wholeNames: new Set(words(names.wholeNames)),
  transliteration: new Set(Array.from(names.transliterationCharacters)),
  titles: words(names.titles),
  noiseStarts: words(names.noiseStarts),
  noise: new Set(words(names.noise)),
  dots: new Set(Array.from(names.dots)),
  before: new WordSet(words(names.before)),
  beforeStrong: new WordSet(words(names.beforeStrong)),
  beforeEndings: new WordSet(words(names.beforeEndings)),
  after: new WordSet(words(names.after)),
  /** Of the words after a name, those of two characters or more: a single one may as well be the name's last character. */
  longAfter: new WordSet(words(names.after).filter(word => word.length > 1)),
  otherBefore: new WordSet(words(names.otherBefore)),
  otherAfter: new WordSet(words(names.otherAfter)),
  nicknameBefore: new WordSet(words(names.nicknameBefore)),
  /** Pairs of surnames that look alike, in both orders. */
  lookAlikeSurnames: new Set(
    words(names.lookAlikeSurnames).flatMap(pair => [pair, Array.from(pair).reverse().join('')]),
  ),
  rareSpellings: new Map<string, string[]>(Object.entries(names.rareSpellings)),
}
