import fs from 'node:fs'
import path from 'node:path'

export interface DevItem {
  id: string
  text: string
  label: string
  also: string[]
}

const root = path.resolve(import.meta.dirname, '../../../..')

/** The labelled samples; they measure and are never trained on. */
export function readDevSet(name: string): DevItem[] {
  return readItems(`test/fixtures/eval/messages/${name}`)
}

/** The project's own regression set, never trained on either. */
export function readRegressionSet(name: string): DevItem[] {
  return readItems(`templates/training/regression/${name}`)
}

function readItems(file: string): DevItem[] {
  const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n')
  return lines.filter(line => line.trim() !== '').map(line => JSON.parse(line) as DevItem)
}
