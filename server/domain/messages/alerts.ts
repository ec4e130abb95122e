import fs from 'node:fs'
import {
  ALERT_KINDS,
  type AlertKind,
  type AlertPolicy,
  alertMarks,
  type Cue,
  type CueHit,
  compileCues,
  exposedPhones,
  findCues,
} from './alert-cues.ts'
import { explain, type LinearModel, scoreText } from './linear-model.ts'
import { findPersonalData, type PersonalDataKind, type PersonalDatum } from './personal-data.ts'
import { shippedModels } from './shipped.ts'
import { prepareText } from './text-features.ts'

export type { AlertKind } from './alert-cues.ts'

export interface Alert {
  kind: AlertKind
  /** One Chinese phrase for the sender: what it is. Never holds the secret or the number itself. */
  because: string
  /** The offending place in the text as it was passed in. */
  index: number
  length: number
  /** How likely it is, 0 to 1; 1 for numbers that structure proves. */
  score: number
}

export interface AlertFinder {
  model: LinearModel
  cues: readonly Cue[]
  thresholds: Readonly<Record<AlertKind, number>>
}

const DATA_NAMES: Record<PersonalDataKind, string> = {
  'id-number': '身份证号',
  'bank-card': '银行卡号',
  passport: '护照号',
  mobile: '两人以上的手机号',
  password: '密码',
  code: '验证码',
}
const KIND_NAMES: Record<AlertKind, string> = {
  safety: '可能有人遇到危险',
  privacy: '可能涉及他人隐私',
  secret: '可能涉及不宜外传的内容',
}

const SECOND_ALERT = 0.85

/** A finder by `templates/policies/alerts.json` and a loaded model. */
export function loadAlertFinder(policy: AlertPolicy, model: LinearModel): AlertFinder {
  return { model, cues: compileCues(policy), thresholds: policy.thresholds }
}

let shippedFinder: AlertFinder | undefined

/** The finder that ships with the product, read once. */
export function shippedAlertFinder(): AlertFinder {
  shippedFinder ??= loadAlertFinder(readPolicy(), shippedModels().alerts)
  return shippedFinder
}

function readPolicy(): AlertPolicy {
  const file = new URL('../../../templates/policies/alerts.json', import.meta.url)
  return JSON.parse(fs.readFileSync(file, 'utf8')) as AlertPolicy
}

/**
 * What in a message may endanger people or secrets, the most serious first; empty for everything else. Complaints,
 * grievances and opinions are never an alert (domain.md, Alerts): whoever wants one heard sends a slip.
 */
export function findAlerts(text: string, finder: AlertFinder = shippedAlertFinder()): Alert[] {
  const data = findPersonalData(text)
  const hits = findCues(finder.cues, text)
  const scored = scoreText(finder.model, prepareText(text), alertMarks(text, hits, data))
  const exposed = firstExposed(text, data)
  const alerts: Alert[] = []
  for (const kind of ALERT_KINDS) {
    const label = finder.model.labels.indexOf(kind)
    if (kind === 'privacy' && exposed) {
      const { index, length } = exposed
      alerts.push({ kind, because: DATA_NAMES[exposed.kind], index, length, score: 1 })
      continue
    }
    const score = likelihood(finder, scored.probabilities, label, exposed)
    if (score >= bar(finder, kind, exposed)) {
      const words = explain(finder.model, scored, label, 6).find(({ length }) => length > 1)
      const place = placeOf(kind, hits, words)
      const quoted = place ? text.slice(place.index, place.index + place.length) : ''
      const fit = quoted.length > 1 && quoted.length <= 12 && !/\p{N}{4}/u.test(quoted)
      const named = fit ? `${KIND_NAMES[kind]}：“${quoted}”` : KIND_NAMES[kind]
      alerts.push({
        kind,
        because: named,
        index: place?.index ?? 0,
        length: place?.length ?? text.length,
        score,
      })
    }
  }
  return alerts
}

/** Numbers found by structure settle privacy; whether there is danger besides is asked without that answer. */
function likelihood(
  finder: AlertFinder,
  probabilities: Float64Array,
  label: number,
  exposed: PersonalDatum | undefined,
): number {
  const settled = exposed ? (probabilities[finder.model.labels.indexOf('privacy')] ?? 0) : 0
  return (probabilities[label] ?? 0) / Math.max(1e-6, 1 - settled)
}

/** With privacy settled the rest of the probability is little, so a second alert must be nearly sure. */
function bar(finder: AlertFinder, kind: AlertKind, exposed: PersonalDatum | undefined): number {
  return exposed ? Math.max(SECOND_ALERT, finder.thresholds[kind]) : finder.thresholds[kind]
}

/** Any number but a phone is exposed by itself; phones are from two persons up. */
function firstExposed(text: string, data: readonly PersonalDatum[]): PersonalDatum | undefined {
  return data.find(({ kind }) => kind !== 'mobile') ?? exposedPhones(text, data)[0]
}

function placeOf(
  kind: AlertKind,
  hits: readonly CueHit[],
  words: { index: number; length: number } | undefined,
): { index: number; length: number } | undefined {
  return hits.find(hit => hit.kind === kind && hit.length > 1) ?? words
}
