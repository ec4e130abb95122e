import fs from 'node:fs'
import { type Classifier, loadClassifier } from './classify.ts'
import type { ModelFile } from './linear-model.ts'

let shipped: Classifier | undefined

/** The classifier that ships with the product, read once from `templates/models`. */
export function shippedClassifier(): Classifier {
  if (!shipped) {
    const file = new URL('../../../templates/models/message-categories.json', import.meta.url)
    shipped = loadClassifier(JSON.parse(fs.readFileSync(file, 'utf8')) as ModelFile)
  }
  return shipped
}
