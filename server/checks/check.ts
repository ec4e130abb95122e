import type { Runtime } from '../runtime.ts'

/** `mend`: somebody must act. `unknown`: it cannot be told from here, `click` says how to look by hand. */
export type CheckState = 'ok' | 'mend' | 'unknown'

/** What a check has found. Holds no secret. */
export interface Finding {
  state: CheckState
  /** One sentence, in Chinese. */
  words: string
  /** Where to click, or what to look at by hand. */
  click?: string
}

/** One thing that must be right for the server to do its work. */
export interface Check {
  id: string
  section: 'wecom' | 'official-account' | 'server'
  /** What it is about, in Chinese. */
  title: string
  /** May throw: what the platforms refuse is put into words by `run.ts`. */
  run(rt: Runtime): Promise<Finding> | Finding
}

export function ok(words: string): Finding {
  return { state: 'ok', words }
}

export function mend(words: string, click?: string): Finding {
  return { state: 'mend', words, ...(click === undefined ? {} : { click }) }
}

export function cannotTell(words: string, click?: string): Finding {
  return { state: 'unknown', words, ...(click === undefined ? {} : { click }) }
}
