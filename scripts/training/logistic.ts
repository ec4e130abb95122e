/** Multinomial logistic regression on binary features scaled to unit length, by AdaGrad, with a fixed seed. */
import type { ModelFile } from '../../server/domain/messages/linear-model.ts'
import { featureFinder, type Seen } from './features.ts'

export interface Example extends Seen {
  label: string
  weight?: number
}

export interface TrainingOptions {
  labels: readonly string[]
  longest: number
  epochs: number
  /** Strength of the pull of every weight to zero. */
  decay: number
  learningRate: number
  /** A feature seen in fewer examples than this is left out. */
  leastExamples: number
  /** A feature whose weights all stay under this is left out of the file. */
  leastWeight: number
  /** Words that count as one (see ModelFile). */
  classes?: Record<string, string[]>
}

/** A small generator (mulberry32), so that every run gives the same file. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const kept = copy[last] as T
    copy[last] = copy[other] as T
    copy[other] = kept
  }
  return copy
}

/** Trains and packs a model. The same examples and options always give the same file. */
export function trainModel(examples: readonly Example[], options: TrainingOptions): ModelFile {
  const bags = examples.map(featureFinder(options.longest, options.classes ?? {}))
  const seenIn = new Map<string, number>()
  for (const bag of bags) for (const feature of bag) seenIn.set(feature, (seenIn.get(feature) ?? 0) + 1)
  const names = [...seenIn].filter(([, times]) => times >= options.leastExamples).map(([feature]) => feature)
  const index = new Map(names.map((feature, row) => [feature, row]))
  const rows = bags.map(bag => {
    const known: number[] = []
    for (const feature of bag) {
      const row = index.get(feature)
      if (row !== undefined) known.push(row)
    }
    return Uint32Array.from(known)
  })
  const gold = examples.map(example => options.labels.indexOf(example.label))
  const missing = gold.indexOf(-1)
  if (missing >= 0) throw new Error(`unknown label: ${examples[missing]?.label}`)
  const { weights, bias } = descend(rows, gold, examples, names.length, options)
  return pack(names, weights, bias, options)
}

function descend(
  rows: readonly Uint32Array[],
  gold: readonly number[],
  examples: readonly Example[],
  size: number,
  options: TrainingOptions,
): { weights: Float64Array; bias: Float64Array } {
  const count = options.labels.length
  const weights = new Float64Array(size * count)
  const squares = new Float64Array(size * count).fill(1e-3)
  const bias = new Float64Array(count)
  const biasSquares = new Float64Array(count).fill(1e-3)
  const scores = new Float64Array(count)
  const random = seededRandom(20180101)
  let order = rows.map((_, at) => at)
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    order = shuffled(order, random)
    for (const at of order) {
      const row = rows[at] as Uint32Array
      const norm = row.length > 0 ? 1 / Math.sqrt(row.length) : 0
      scores.fill(0)
      for (const feature of row) {
        const base = feature * count
        for (let label = 0; label < count; label++)
          (scores[label] as number) += weights[base + label] as number
      }
      let top = -Infinity
      for (let label = 0; label < count; label++) {
        scores[label] = (scores[label] as number) * norm + (bias[label] as number)
        top = Math.max(top, scores[label] as number)
      }
      let sum = 0
      for (let label = 0; label < count; label++) {
        scores[label] = Math.exp((scores[label] as number) - top)
        sum += scores[label] as number
      }
      const importance = examples[at]?.weight ?? 1
      for (let label = 0; label < count; label++) {
        const slope = ((scores[label] as number) / sum - (gold[at] === label ? 1 : 0)) * importance
        scores[label] = slope
        biasSquares[label] = (biasSquares[label] as number) + slope * slope
        bias[label] =
          (bias[label] as number) - (options.learningRate * slope) / Math.sqrt(biasSquares[label] as number)
      }
      for (const feature of row) {
        const base = feature * count
        for (let label = 0; label < count; label++) {
          const slope = (scores[label] as number) * norm + options.decay * (weights[base + label] as number)
          squares[base + label] = (squares[base + label] as number) + slope * slope
          weights[base + label] =
            (weights[base + label] as number) -
            (options.learningRate * slope) / Math.sqrt(squares[base + label] as number)
        }
      }
    }
  }
  return { weights, bias }
}

function pack(
  names: readonly string[],
  weights: Float64Array,
  bias: Float64Array,
  options: TrainingOptions,
): ModelFile {
  const count = options.labels.length
  const kept: number[] = []
  let largest = 0
  for (let row = 0; row < names.length; row++) {
    let strongest = 0
    for (let label = 0; label < count; label++)
      strongest = Math.max(strongest, Math.abs(weights[row * count + label] as number))
    if (strongest >= options.leastWeight) {
      kept.push(row)
      largest = Math.max(largest, strongest)
    }
  }
  const scale = largest / 127 || 1
  const bytes = new Int8Array(kept.length * count)
  for (const [place, row] of kept.entries()) {
    for (let label = 0; label < count; label++) {
      bytes[place * count + label] = Math.round((weights[row * count + label] as number) / scale)
    }
  }
  return {
    format: 'linear-ngram-1',
    labels: [...options.labels],
    longest: options.longest,
    scale: Number(scale.toPrecision(6)),
    bias: [...bias].map(value => Number(value.toFixed(4))),
    features: kept.map(row => names[row]).join('\n'),
    ...(options.classes ? { classes: options.classes } : {}),
    weights: Buffer.from(bytes.buffer).toString('base64'),
  }
}
