import fs from 'node:fs'
import { type Classifier, loadClassifier } from './classify.ts'
import { type LinearModel, loadLinearModels, type ModelFile } from './linear-model.ts'

export interface ShippedModels {
  categories: LinearModel
  alerts: LinearModel
}

let models: ShippedModels | undefined
let classifier: Classifier | undefined

/** The models that ship with the product, read once from `templates/models`; they look for their words together. */
export function shippedModels(): ShippedModels {
  if (!models) {
    const files = ['message-categories.json', 'message-alerts.json'].map(readModel)
    const [categories, alerts] = loadLinearModels(files)
    models = { categories, alerts } as ShippedModels
  }
  return models
}

/** The classifier that ships with the product. */
export function shippedClassifier(): Classifier {
  classifier ??= loadClassifier(shippedModels().categories)
  return classifier
}

function readModel(name: string): ModelFile {
  const file = new URL(`../../../templates/models/${name}`, import.meta.url)
  return JSON.parse(fs.readFileSync(file, 'utf8')) as ModelFile
}
