import { describe, expect, test } from 'vitest'
import { judgeSet } from '../../../../scripts/eval/judge-set.ts'
import { makeSet } from '../../../../scripts/eval/make-set.ts'
import { type Outcome, score } from '../../../../scripts/eval/score.ts'

// Small sets of the generator that `scripts/eval-join.ts` runs at length; its labels know nothing of the matcher.

const told = ({ request, label, scene, judgement }: Outcome) =>
  `${scene}: ${request.text} → ${judgement.decision}/${judgement.reason}, not ${label.decision}/${label.reason}`

describe.each([101, 202, 303])('a generated set, seed %i', seed => {
  const { outcomes } = judgeSet(makeSet(seed, 700, 600))
  const result = score(outcomes)

  test('nobody is let in wrongly, nor as somebody else', () => {
    expect(result.falseApprove.map(told)).toEqual([])
    expect(result.wrongPerson.map(told)).toEqual([])
  })
  test('nobody is turned away who belongs here', () => {
    expect(result.falseReject.length / result.requests).toBeLessThan(0.005)
  })
  test('it decides as an officer would, and seldom needs one', () => {
    expect(result.wrong.length / result.requests).toBeLessThan(0.015)
    expect(result.decidedRight / result.decidable).toBeGreaterThan(0.95)
    expect(result.shownFirst / result.shownFirstOf).toBeGreaterThan(0.985)
  })
  test('no explanation gives away a number', () => {
    for (const { judgement } of outcomes) {
      expect(judgement.explanation).toMatch(/^[^\n]{8,90}。$/)
      expect(judgement.explanation).not.toMatch(/\d{3}/)
    }
  })
})

test('the same seed makes the same set, another one another', () => {
  const texts = (seed: number) => makeSet(seed, 50, 100).requests.map(({ request }) => request.text)
  expect(texts(7)).toEqual(texts(7))
  expect(texts(7)).not.toEqual(texts(8))
})
