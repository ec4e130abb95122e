import { type Category, isCategory } from './categories.ts'
import { explain, type LinearModel, scoreText } from './linear-model.ts'
import { prepareText } from './text-features.ts'

export interface Classifier {
  model: LinearModel
  categories: readonly Category[]
}

export interface Classification {
  category: Category
  /** The model's own estimate that it is right, 0 to 1. */
  confidence: number
  /** The words of the message that decided, strongest first; empty when nothing in it was known. */
  because: string[]
}

/** A classifier by a loaded model. Throws when its labels are not the five categories. */
export function loadClassifier(model: LinearModel): Classifier {
  const categories = model.labels.filter(isCategory)
  if (categories.length !== model.labels.length) throw new Error('model labels are not the five categories')
  return { model, categories }
}

/**
 * Sorts one message into a column of the tracking sheet. A message without a letter or digit (a picture, a row of
 * dots, an emoji) is 其他 by policy, whatever the model would guess.
 */
export function classifyMessage(classifier: Classifier, text: string): Classification {
  if (!/[\p{L}\p{N}]/u.test(text)) return { category: '其他', confidence: 1, because: ['没有文字'] }
  const scored = scoreText(classifier.model, prepareText(text))
  let best = 0
  for (let label = 1; label < scored.probabilities.length; label++) {
    if ((scored.probabilities[label] ?? 0) > (scored.probabilities[best] ?? 0)) best = label
  }
  // Long numbers are left out: the reasons are stored and shown, and a number may be somebody's own.
  const because = explain(classifier.model, scored, best, 4)
    .map(evidence => evidence.words)
    .filter(words => !/\p{N}{5}/u.test(words))
  return {
    category: classifier.categories[best] ?? '其他',
    confidence: Math.round((scored.probabilities[best] ?? 0) * 1000) / 1000,
    because: [...new Set(because)],
  }
}
