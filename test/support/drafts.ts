import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, Visitor } from './console.ts'

/** The page of an uploaded roster once it is no longer being checked or imported, as its own script asks for it. */
export async function settledDraft(visitor: Visitor, path: string): Promise<Answer> {
  for (;;) {
    const answer = await visitor.get(path)
    if (!answer.text.includes('id="import-progress"')) return answer
    await pause(50)
  }
}

/** Applies an uploaded roster. @returns the path of the import; of the draft itself when it was not applied */
export async function applyDraftOf(visitor: Visitor, path: string): Promise<string> {
  const answer = await visitor.post(`${path}/apply`)
  if (answer.location !== path) return answer.location ?? ''
  return (await settledDraft(visitor, path)).location ?? path
}
