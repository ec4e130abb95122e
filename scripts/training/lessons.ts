/** What was put right by hand since the last training, as lines of JSON. */
import fs from 'node:fs'
import { CATEGORIES } from '../../server/domain/messages/categories.ts'
import type { Example } from './logistic.ts'

/** Somebody decided on a real message: it weighs more than a line that was made up. */
const LESSON_WEIGHT = 2
const ALERTS = ['safety', 'privacy', 'secret']

/**
 * Corrected categories, `{"text", "label"}` a line; the last word on a text counts.
 * @throws Error with the number of the first line that is none
 */
export function readCorrections(file: string): Example[] {
  return readLessons(file, ({ text, label }) =>
    typeof text === 'string' && CATEGORIES.some(category => category === label)
      ? { text, label: String(label) }
      : null,
  )
}

/**
 * Verdicts on alerts, `{"alert", "text", "verdict"}` a line. `false` teaches that the message is none, `right` that
 * the alert was due.
 * @throws Error with the number of the first line that is none
 */
export function readVerdicts(file: string): Example[] {
  return readLessons(file, ({ text, alert, verdict }) => {
    if (typeof text !== 'string' || !ALERTS.includes(String(alert))) return null
    if (verdict !== 'false' && verdict !== 'right') return null
    return { text, label: verdict === 'right' ? String(alert) : 'none' }
  })
}

function readLessons(
  file: string,
  lessonOf: (line: Record<string, unknown>) => { text: string; label: string } | null,
): Example[] {
  const lessons = new Map<string, Example>()
  for (const [place, line] of fs.readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue
    const lesson = lessonOf(parsed(line))
    if (lesson === null) throw new Error(`${file} 第 ${place + 1} 行不是可用的一条`)
    // Without text there is nothing to learn from: of some false alarms only a hash is kept.
    if (lesson.text.trim() !== '') lessons.set(lesson.text, { ...lesson, weight: LESSON_WEIGHT })
  }
  return [...lessons.values()]
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** The written lines with the lessons: a lesson replaces a line of the same text; the regression set is never learnt. */
export function withLessons(
  written: readonly Example[],
  lessons: readonly Example[],
  held: readonly { text: string }[],
): Example[] {
  const never = new Set(held.map(({ text }) => text))
  const taught = lessons.filter(({ text }) => !never.has(text))
  const replaced = new Set(taught.map(({ text }) => text))
  return [...written.filter(({ text }) => !replaced.has(text)), ...taught]
}
