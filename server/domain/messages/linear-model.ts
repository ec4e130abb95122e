import { MARK, originalSpan, type PreparedText } from './text-features.ts'
import { buildTrie, type Trie, type WordHits, walkTrie } from './trie.ts'
import { wordMarks } from './word-classes.ts'

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

/** Words to look for, which several models may share so that a message is walked once for all of them. */
export interface Vocabulary {
  trie: Trie
  hits: WordHits
  /** The message whose words are in `hits`. */
  read: { last: PreparedText | undefined }
}

export interface LinearModel {
  labels: readonly string[]
  scale: number
  bias: readonly number[]
  vocabulary: Vocabulary
  /**
   * What the model knows of every node of the vocabulary, side by side, for a message touches many of them: the row of its
   * n-gram (-1 where the model has none), its place in `classLists` (0 is the empty list), when it was last counted, and
   * its weights as bytes.
   */
  records: Int32Array
  /** The same by bytes. */
  bytes: Int8Array
  /** Numbers in a record. */
  stride: number
  /** Numbers of the marks of the classes that some word is in. */
  classLists: readonly (readonly number[])[]
  /** Numbers of the marks, in the order of their names: pairs are kept in that order. */
  marks: ReadonlyMap<string, number>
  /** Row numbers of the marks. */
  markRows: Int32Array
  /** Row numbers of two marks together: number of the first × how many marks + number of the second. */
  pairRows: Int32Array
  /** The marks by their rows: all that is ever said of a feature by name. */
  markNames: ReadonlyMap<number, string>
  weights: Int8Array
  /** When each row of a mark was last counted, so that a message counts a feature once without a set of its own. */
  counted: Int32Array
  clock: { now: number }
  /** Room for the features of a message: row, from, to. */
  room: Int32Array
}

/** Places in a record; its weights stand behind the head. */
const ROW = 0
const CLASSES = 1
const COUNTED = 2
const HEAD = 3

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
  /** Row numbers of the features found, with their place: row, from, to (marks: from = to = 0). Good until the model scores again. */
  found: Int32Array
  norm: number
}

/** Unpacks a model file; throws when it is not one, so a broken deployment fails at the start. */
export function loadLinearModel(file: ModelFile): LinearModel {
  return loadLinearModels([file])[0] as LinearModel
}

/** Unpacks models that look for their words together. */
export function loadLinearModels(files: readonly ModelFile[]): LinearModel[] {
  const words = new Map<string, number>()
  const drafts = files.map(file => {
    const features = checkedFeatures(file)
    const classes = wordMarks(file.classes ?? {})
    for (const feature of features) if (!feature.startsWith(MARK)) numberOf(words, feature)
    for (const word of classes.keys()) numberOf(words, word)
    return { file, features, classes }
  })
  const vocabulary: Vocabulary = {
    trie: buildTrie([...words.keys()]),
    hits: { list: new Int32Array(0), length: 0 },
    read: { last: undefined },
  }
  return drafts.map(({ file, features, classes }) => {
    const bytes = Buffer.from(file.weights, 'base64')
    if (bytes.length !== features.length * file.labels.length || file.bias.length !== file.labels.length) {
      throw new Error(`model is damaged: ${features.length} features, ${bytes.length} weights`)
    }
    return {
      labels: file.labels,
      scale: file.scale,
      bias: file.bias,
      vocabulary,
      ...knownOf(features, classes, words, vocabulary.trie, bytes),
      markNames: new Map([...features.entries()].filter(([, feature]) => feature.startsWith(MARK))),
      weights: new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      counted: new Int32Array(features.length),
      clock: { now: 0 },
      room: new Int32Array(features.length * 3),
    }
  })
}

function checkedFeatures(file: ModelFile): string[] {
  if (file.format !== 'linear-ngram-1') throw new Error(`unknown model format: ${String(file.format)}`)
  return file.features.split('\n')
}

function numberOf(words: Map<string, number>, word: string): number {
  const known = words.get(word)
  if (known !== undefined) return known
  words.set(word, words.size)
  return words.size - 1
}

type Known = 'records' | 'bytes' | 'stride' | 'classLists' | 'marks' | 'markRows' | 'pairRows'

/** Where the rows of the words, the marks and the pairs of marks are, and what is known of each word. */
function knownOf(
  features: readonly string[],
  classes: ReadonlyMap<string, readonly string[]>,
  words: ReadonlyMap<string, number>,
  trie: Trie,
  weights: Uint8Array,
): Pick<LinearModel, Known> {
  const labels = weights.length / features.length
  const stride = HEAD + Math.ceil(labels / 4)
  const records = new Int32Array(trie.size * stride)
  const bytes = new Int8Array(records.buffer)
  for (let node = 0; node < trie.size; node++) records[node * stride + ROW] = -1
  const recordOf = (word: string) => (trie.nodes[words.get(word) as number] as number) * stride
  const markNames = new Set([...classes.values()].flat())
  for (const [row, feature] of features.entries()) {
    if (feature.startsWith(MARK)) {
      for (const name of feature.slice(1).split(MARK)) markNames.add(MARK + name)
      continue
    }
    const record = recordOf(feature)
    records[record + ROW] = row
    bytes.set(weights.subarray(row * labels, (row + 1) * labels), (record + HEAD) * 4)
  }
  const marks = new Map([...markNames].sort().map((mark, number) => [mark, number]))
  const markRows = new Int32Array(marks.size).fill(-1)
  const pairRows = new Int32Array(marks.size * marks.size).fill(-1)
  for (const [row, feature] of features.entries()) {
    if (!feature.startsWith(MARK)) continue
    const [first, second] = feature.slice(1).split(MARK)
    const number = marks.get(MARK + first) as number
    if (second === undefined) markRows[number] = row
    else pairRows[number * marks.size + (marks.get(MARK + second) as number)] = row
  }
  const classLists: number[][] = [[]]
  for (const [word, names] of classes) {
    const list = names.map(name => marks.get(name) as number)
    records[recordOf(word) + CLASSES] = classLists.push(list) - 1
  }
  return { records, bytes, stride, classLists, marks, markRows, pairRows }
}

/** Scores a message. A feature counts once however often it is repeated; `extra` are marks added by the caller, and count in pairs too. */
export function scoreText(model: LinearModel, prepared: PreparedText, extra: readonly string[] = []): Scored {
  model.clock.now = (model.clock.now + 1) | 0
  const scores = new Float64Array(model.labels.length)
  let length = addWords(model, prepared, scores)
  for (const mark of prepared.marks) length = addMark(model, mark, length, scores)
  for (const mark of extra) length = addMark(model, mark, length, scores)
  length = addPairs(model, numbersOf(model, extra), length, scores)
  const found = model.room.subarray(0, length)
  const norm = length > 0 ? model.scale / Math.sqrt(length / 3) : 0
  for (let label = 0; label < scores.length; label++) {
    scores[label] = (scores[label] as number) * norm + (model.bias[label] as number)
  }
  return { prepared, scores, probabilities: softmax(scores), found, norm }
}

function readWords({ trie, hits, read }: Vocabulary, prepared: PreparedText): WordHits {
  if (read.last !== prepared) {
    walkTrie(trie, prepared.codes, hits)
    read.last = prepared
  }
  return hits
}

/** Counts the n-grams of a message, the classes of its words, and every two classes; gives how full the room is. */
function addWords(model: LinearModel, prepared: PreparedText, sums: Float64Array): number {
  const { records, bytes, stride, classLists, markRows, room } = model
  const { now } = model.clock
  const labels = sums.length
  const { list, length: end } = readWords(model.vocabulary, prepared)
  const classes: number[] = []
  let length = 0
  for (let at = 0; at < end; at += 3) {
    const record = (list[at] as number) * stride
    const row = records[record + ROW] as number
    if (row >= 0 && records[record + COUNTED] !== now) {
      records[record + COUNTED] = now
      room[length] = row
      room[length + 1] = list[at + 1] as number
      room[length + 2] = list[at + 2] as number
      length += 3
      const base = (record + HEAD) * 4
      for (let label = 0; label < labels; label++)
        sums[label] = (sums[label] as number) + (bytes[base + label] as number)
    }
    const place = records[record + CLASSES] as number
    if (place === 0) continue
    for (const mark of classLists[place] as readonly number[]) {
      if (classes.includes(mark)) continue
      classes.push(mark)
      const [from, to] = [list[at + 1] as number, list[at + 2] as number]
      length = addRow(model, markRows[mark] as number, length, sums, from, to)
    }
  }
  if (classes.length > 1) classes.sort((one, other) => one - other)
  return addPairs(model, classes, length, sums)
}

function addRow(
  { counted, clock, room, weights }: LinearModel,
  row: number,
  length: number,
  sums: Float64Array,
  from = 0,
  to = 0,
): number {
  if (row < 0 || counted[row] === clock.now) return length
  counted[row] = clock.now
  room[length] = row
  room[length + 1] = from
  room[length + 2] = to
  for (let label = 0; label < sums.length; label++)
    sums[label] = (sums[label] as number) + (weights[row * sums.length + label] as number)
  return length + 3
}

/** A mark that the model does not know counts for nothing. */
function addMark(model: LinearModel, mark: string, length: number, sums: Float64Array): number {
  const number = model.marks.get(mark)
  return number === undefined ? length : addRow(model, model.markRows[number] as number, length, sums)
}

function numbersOf({ marks }: LinearModel, names: readonly string[]): number[] {
  return names.map(name => marks.get(name)).filter(number => number !== undefined)
}

function addPairs(model: LinearModel, marks: readonly number[], filled: number, sums: Float64Array): number {
  const { markRows, pairRows } = model
  let length = filled
  for (let first = 0; first < marks.length; first++) {
    const base = (marks[first] as number) * markRows.length
    for (let second = first + 1; second < marks.length; second++) {
      length = addRow(model, pairRows[base + (marks[second] as number)] as number, length, sums)
    }
  }
  return length
}

export function softmax(scores: Float64Array): Float64Array {
  let top = -Infinity
  for (const score of scores) if (score > top) top = score
  const shares = new Float64Array(scores.length)
  let sum = 0
  for (let label = 0; label < scores.length; label++) {
    const share = Math.exp((scores[label] as number) - top)
    shares[label] = share
    sum += share
  }
  for (let label = 0; label < shares.length; label++) shares[label] = (shares[label] as number) / sum
  return shares
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
    const row = found[at] as number
    const from = found[at + 1] as number
    const to = found[at + 2] as number
    const weight = contrast(model, row * count, label, count) * scored.norm
    if (to > from) {
      const share = weight / (to - from)
      for (let place = from; place < to; place++) {
        perCharacter[place] = (perCharacter[place] as number) + share
      }
    } else {
      const name = model.markNames.get(row)
      if (weight > 0.1 && name !== undefined && isReadable(name))
        marks.push({ words: name.replace(MARK, ''), index: 0, length: 0, weight })
    }
  }
  return [...stretches(prepared, perCharacter), ...marks].sort((a, b) => b.weight - a.weight).slice(0, most)
}

/** How much a feature speaks for one label more than for the average of the others. */
function contrast({ weights }: LinearModel, base: number, label: number, count: number): number {
  let all = 0
  for (let other = 0; other < count; other++) all += weights[base + other] as number
  const own = weights[base + label] as number
  return own - (all - own) / (count - 1)
}

/** Marks of length and pairs of marks mean something to the model only. */
function isReadable(name: string): boolean {
  return name.indexOf(MARK, 1) < 0 && !/^¤(?:长|无标点)/u.test(name)
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
      place < prepared.codes.length - 1 &&
      (perCharacter[place] as number) >= bar &&
      isWordSign(prepared.codes[place] as number)
    if (strong && from < 0) from = place
    if (!strong && from >= 0) {
      const { index, length } = originalSpan(prepared, from, place)
      let weight = 0
      for (let inside = from; inside < place; inside++) weight += perCharacter[inside] as number
      result.push({ words: prepared.original.slice(index, index + length), index, length, weight })
      from = -1
    }
  }
  return result
}

/** What is known of a character so far: 0 not asked, 1 part of a word, 2 not. */
const wordSigns = new Uint8Array(65536)

function isWordSign(code: number): boolean {
  if (wordSigns[code] === 0) {
    wordSigns[code] = /[\p{L}\p{N}%☺]/u.test(String.fromCharCode(code)) ? 1 : 2
  }
  return wordSigns[code] === 1
}
