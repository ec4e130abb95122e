import { MARK, originalSpan, type PreparedText } from './text-features.ts'
import { buildTrie, type Trie, walkTrie } from './trie.ts'
import { compileClasses, findClasses, visitPairs, type WordClasses } from './word-classes.ts'

/** A trained model as it lies in `templates/models`: one byte a weight, one row of weights a feature. */
export interface ModelFile {
  format: 'linear-ngram-1'
  labels: string[]
  longest: number
  /** A stored byte times this is the weight. */
  scale: number
  bias: number[]
  /** Features separated by line feeds (no feature holds one). */
  features: string
  /** Words that count as one: the name of a class and its words; a word found adds the mark of its class. */
  classes?: Record<string, string[]>
  /** Base64 of signed bytes, features × labels. */
  weights: string
}

export interface LinearModel {
  labels: readonly string[]
  longest: number
  scale: number
  bias: readonly number[]
  /** Row numbers of the n-grams. */
  ngrams: Trie
  /** Row numbers of the marks. */
  marks: ReadonlyMap<string, number>
  /** Row numbers of two marks together. */
  pairs: ReadonlyMap<string, ReadonlyMap<string, number>>
  names: readonly string[]
  wordClasses: WordClasses
  weights: Int8Array
  /** When each row was last counted, so that a message counts a feature once without a set of its own. */
  counted: Uint32Array
  clock: { now: number }
}

export interface Evidence {
  /** The words as they stand in the message, or the name of a mark of form. */
  words: string
  index: number
  length: number
  weight: number
}

export interface Scored {
  prepared: PreparedText
  scores: Float64Array
  probabilities: Float64Array
  /** Row numbers of the features found, with their place: row, from, to (marks: from = to = 0). */
  found: number[]
  norm: number
}

/** Unpacks a model file; throws when it is not one, so a broken deployment fails at the start. */
export function loadLinearModel(file: ModelFile): LinearModel {
  if (file.format !== 'linear-ngram-1') throw new Error(`unknown model format: ${String(file.format)}`)
  const features = file.features.split('\n')
  const bytes = Buffer.from(file.weights, 'base64')
  if (bytes.length !== features.length * file.labels.length || file.bias.length !== file.labels.length) {
    throw new Error(`model is damaged: ${features.length} features, ${bytes.length} weights`)
  }
  const marks = new Map<string, number>()
  const pairs = new Map<string, Map<string, number>>()
  for (const [row, feature] of features.entries()) {
    const second = feature.startsWith(MARK) ? feature.indexOf(MARK, 1) : 0
    if (second < 0) marks.set(feature, row)
    else if (second > 0) {
      const first = feature.slice(0, second)
      const partners = pairs.get(first) ?? new Map<string, number>()
      pairs.set(first, partners.set(feature.slice(second), row))
    }
  }
  const weights = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    labels: file.labels,
    longest: file.longest,
    scale: file.scale,
    bias: file.bias,
    ngrams: buildTrie(features.map(feature => (feature.startsWith(MARK) ? '' : feature))),
    marks,
    pairs,
    names: features,
    wordClasses: compileClasses(file.classes ?? {}),
    weights,
    counted: new Uint32Array(features.length),
    clock: { now: 0 },
  }
}

/** Scores a message. A feature counts once however often it is repeated; `extra` are marks added by the caller, and count in pairs too. */
export function scoreText(model: LinearModel, prepared: PreparedText, extra: readonly string[] = []): Scored {
  const { counted, clock } = model
  const found: number[] = []
  clock.now += 1
  const { now } = clock
  const add = (row: number, from: number, to: number): void => {
    if (counted[row] === now) return
    counted[row] = now
    found.push(row, from, to)
  }
  const addMark = (mark: string, from: number, to: number): void => {
    const row = model.marks.get(mark)
    if (row !== undefined) add(row, from, to)
  }
  walkTrie(model.ngrams, prepared.codes, add)
  for (const mark of prepared.marks) addMark(mark, 0, 0)
  const addPair = (first: string, second: string): void => {
    const row = model.pairs.get(first)?.get(second)
    if (row !== undefined) add(row, 0, 0)
  }
  visitPairs(findClasses(prepared, model.wordClasses, addMark), addPair)
  for (const mark of extra) addMark(mark, 0, 0)
  visitPairs(extra, addPair)
  const norm = found.length > 0 ? model.scale / Math.sqrt(found.length / 3) : 0
  const scores = sumWeights(model, found)
  for (let label = 0; label < scores.length; label++) {
    scores[label] = (scores[label] as number) * norm + (model.bias[label] as number)
  }
  return { prepared, scores, probabilities: softmax(scores), found, norm }
}

function sumWeights({ labels, weights }: LinearModel, found: readonly number[]): Float64Array {
  const count = labels.length
  const sums = new Float64Array(count)
  for (let at = 0; at < found.length; at += 3) {
    const base = (found[at] as number) * count
    for (let label = 0; label < count; label++) {
      sums[label] = (sums[label] as number) + (weights[base + label] as number)
    }
  }
  return sums
}

export function softmax(scores: Float64Array): Float64Array {
  let top = -Infinity
  for (const score of scores) if (score > top) top = score
  const out = scores.map(score => Math.exp(score - top))
  let sum = 0
  for (const value of out) sum += value
  return out.map(value => value / sum)
}

/**
 * The words that spoke most for a label, strongest first. Overlapping n-grams are joined into one stretch of the
 * message, so that a reader sees words and not fragments.
 */
export function explain(model: LinearModel, scored: Scored, label: number, most: number): Evidence[] {
  const { prepared, found } = scored
  const count = model.labels.length
  const perCharacter = new Float64Array(prepared.codes.length)
  const marks: Evidence[] = []
  for (let at = 0; at < found.length; at += 3) {
    const row = found[at] ?? 0
    const from = found[at + 1] ?? 0
    const to = found[at + 2] ?? 0
    const weight = contrast(model, row * count, label, count) * scored.norm
    if (to > from) {
      for (let place = from; place < to; place++) {
        perCharacter[place] = (perCharacter[place] ?? 0) + weight / (to - from)
      }
    } else if (weight > 0.1 && readable(model.names[row])) {
      marks.push({ words: (model.names[row] ?? '').replace(MARK, ''), index: 0, length: 0, weight })
    }
  }
  return [...stretches(prepared, perCharacter), ...marks].sort((a, b) => b.weight - a.weight).slice(0, most)
}

/** How much a feature speaks for one label more than for the average of the others. */
function contrast(model: LinearModel, base: number, label: number, count: number): number {
  let others = 0
  for (let other = 0; other < count; other++) if (other !== label) others += model.weights[base + other] ?? 0
  return (model.weights[base + label] ?? 0) - others / (count - 1)
}

/** Marks of length and pairs of marks mean something to the model only. */
function readable(name: string | undefined): boolean {
  return name !== undefined && name.indexOf(MARK, 1) < 0 && !/^¤(?:长|无标点)/u.test(name)
}

/** Cuts the message into runs of characters that speak clearly for the label. */
function stretches(prepared: PreparedText, perCharacter: Float64Array): Evidence[] {
  let strongest = 0
  for (const weight of perCharacter) if (weight > strongest) strongest = weight
  const bar = Math.max(0.02, strongest * 0.3)
  const result: Evidence[] = []
  let from = -1
  for (let place = 1; place <= prepared.codes.length; place++) {
    const strong =
      place < prepared.codes.length - 1 && (perCharacter[place] ?? 0) >= bar && isWord(prepared, place)
    if (strong && from < 0) from = place
    if (!strong && from >= 0) {
      const { index, length } = originalSpan(prepared, from, place)
      const weight = perCharacter.subarray(from, place).reduce((sum, value) => sum + value, 0)
      result.push({ words: prepared.original.slice(index, index + length), index, length, weight })
      from = -1
    }
  }
  return result
}

function isWord(prepared: PreparedText, place: number): boolean {
  return /[\p{L}\p{N}%☺]/u.test(String.fromCharCode(prepared.codes[place] as number))
}
