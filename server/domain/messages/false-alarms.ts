import { createHash } from 'node:crypto'
import { falseAlarmHashes } from '../../../db/queries/alert-verdicts.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { AlertKind } from './alert-cues.ts'
import { findAlerts } from './alerts.ts'
import { maskPersonalData } from './mask.ts'
import { findPersonalData, passesLuhn } from './personal-data.ts'

/** What an outgoing check stops for. */
export type StoppingAlert = Exclude<AlertKind, 'safety'>
/** Where it was raised. */
export type AlertSource = 'notice' | 'slip' | 'answer' | 'danger'

/** Whose word it takes that a text was stopped in error. */
export type ClaimPlace =
  /** Whoever runs the unit; for personal data its author alone, where they run it. */
  | { of: 'unit'; unitId: number }
  /** Those who would read the slip, and nobody else. */
  | { of: 'slip'; slipKind: string; unitId: number; aboutId: number | null }
  /** Those who have the slip that it belongs to. */
  | { of: 'slip-in-hand'; slipId: number }

/** An outgoing check has stopped a text: its writer can say that it is a false alarm (误报). */
export class StoppedText extends DomainError {
  readonly alert: StoppingAlert
  readonly source: AlertSource
  readonly text: string
  /** null: whoever runs a unit of the writer's. */
  readonly place: ClaimPlace | null

  constructor(
    code: string,
    message: string,
    stopped: { alert: StoppingAlert; source: AlertSource; text: string; place?: ClaimPlace | null },
  ) {
    super(code, message)
    this.alert = stopped.alert
    this.source = stopped.source
    this.text = stopped.text
    this.place = stopped.place ?? null
  }
}

/** What offices have found to be false alarms, as far as it concerns the texts that were asked for. */
export interface FalseAlarms {
  /** Whether this very text raises this alert no more. */
  cover(alert: AlertKind, text: string): boolean
}

export const noFalseAlarms: FalseAlarms = { cover: () => false }

/**
 * Reads what offices have said of alerts in these texts. It is for checks of what goes out: a call for help is never
 * measured by it.
 */
export async function falseAlarmsFor(rt: DomainRuntime, texts: readonly string[]): Promise<FalseAlarms> {
  const found = await falseAlarmHashes(rt.db, [...new Set(texts.map(alarmHash))])
  if (found.size === 0) return noFalseAlarms
  return {
    cover: (alert, text) =>
      !holdsWholeNumbers(text) && found.has(`${alert} ${alarmHash(text)}`) && !raisedByFirstLine(alert, text),
  }
}

/** No verdict is about the line that is left out of the hash: what it quotes is looked at by itself, torn apart or not. */
function raisedByFirstLine(alert: AlertKind, text: string): boolean {
  const [line = '', quoted = ''] = CORRECTION_LINE.exec(text) ?? []
  const close = quoted.normalize('NFKC').replace(/\s|\p{Cf}/gu, '')
  return [line, quoted, close].some(each => findAlerts(each).some(({ kind }) => kind === alert))
}

/**
 * The first line of a correction names what it corrects (`notices/change-words.ts`): the text is the same without it. It is
 * known by its form, and its writer may have typed it as well.
 */
const CORRECTION_LINE =
  /^【更正】\d{1,2}月\d{1,2}日的通知(?:“([^\n]{1,30})”)?（通知 \d{1,9}）有更正，请以这一条为准：\n/

/** By what a text is known again: masked, without spaces and signs, SHA-256 in hex. */
export function alarmHash(text: string): string {
  const plain = maskPersonalData(text.replace(CORRECTION_LINE, ''))
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
  return createHash('sha256').update(plain).digest('hex')
}

/**
 * Numbers of persons that a checksum proves, and what is known masked alone (passwords, codes): no verdict lets them
 * pass, because another one in their place would look the same.
 */
export function holdsWholeNumbers(text: string): boolean {
  return findPersonalData(text).some(
    ({ kind, value }) => kind !== 'mobile' && (kind !== 'bank-card' || passesLuhn(value)),
  )
}
