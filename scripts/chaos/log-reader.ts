import { FORGED_MARK } from './cases.ts'

/** Everything that is sent holds one of the two. */
const ofCallbacks = new RegExp(`${FORGED_MARK}-|signed-\\d`)

/** Reads what the server logs: what it complains of, and whether it says what nobody may read there. */
export class LogReader {
  readonly errors: Record<string, number> = {}
  /** The server has said that it is up. */
  isListening = false
  private readonly fault: (what: string) => void
  constructor(fault: (what: string) => void) {
    this.fault = fault
  }

  read(line: string): void {
    if (ofCallbacks.test(line)) this.fault(`something that was sent is in the log: ${line.slice(0, 300)}`)
    let entry: { level?: number; msg?: string; message?: string; code?: string; name?: string }
    try {
      entry = JSON.parse(line) as typeof entry
    } catch {
      this.fault(`a line of the log that is no JSON: ${line.slice(0, 300)}`)
      return
    }
    if (entry.msg === 'listening') this.isListening = true
    if ((entry.level ?? 0) < 50) return
    const what = `${entry.msg}${entry.code ? ` ${entry.code}` : ''}`
    this.errors[what] = (this.errors[what] ?? 0) + 1
  }
}
