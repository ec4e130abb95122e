import { describe, expect, test } from 'vitest'
import {
  admission,
  afterQuietHours,
  answerTo,
  type KindPolicy,
  kindPolicy,
  nicknameIn,
  overrule,
  requestReasonLabel,
  requestReasons,
  type Standing,
  standingWords,
} from '../../../../server/domain/join-requests/admission.ts'
import type { Decision, Judgement, Reason } from '../../../../server/domain/join-requests/types.ts'
import { admissionSchema, checkAdmission } from '../../../../server/templates/admission.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const templates = loadTemplates()
const xibu = templates.programme('xibu')
const judged = (decision: Decision, reason: Reason = 'matched'): Judgement => ({
  decision,
  reason,
  row: 1,
  explanation: '',
  candidates: [1],
})
const plain: Standing = { roles: ['volunteer'], hasOtherAccount: false, isDoubted: false, otherAskers: 0 }
const branch = kindPolicy('xibu', 'branch')

describe('the admission policy as data', () => {
  test('names only what is there', () => {
    expect(checkAdmission(admission, templates.programmes)).toEqual([])
  })

  test('a kind, a role or a source that is not there is found', () => {
    const wrong = {
      ...admission,
      kinds: [
        { programme: 'xibu', kind: 'brunch', source: 'ours' },
        { programme: 'xibu', kind: 'branch', people: ['volunteers'], source: 'somewhere' },
        { programme: 'xibu', kind: 'branch', source: 'ours' },
      ],
    }
    expect(checkAdmission(admissionSchema.parse(wrong), templates.programmes)).toEqual([
      'source somewhere is not among the sources',
      'kind xibu brunch is not there',
      'kind xibu branch: unknown role volunteers',
      'kind xibu branch occurs twice',
    ])
  })

  test('every audited kind whose unit decides itself who comes is for a human', () => {
    for (const programme of templates.programmes)
      for (const kind of programme.groupKinds)
        if (kind.members.some(rule => rule.from === 'unit-decides'))
          expect(kindPolicy(programme.id, kind.id).approval, kind.id).toBe('human')
  })

  test('every reason has a label', () => {
    for (const reason of requestReasons) expect(requestReasonLabel(reason)).toMatch(/^\p{Script=Han}{3,}$/u)
  })
})

describe('what overrules an approval', () => {
  const human: KindPolicy = { ...branch, approval: 'human' }
  test.each<[string, KindPolicy, Standing, string | null]>([
    ['a volunteer in their branch', branch, plain, null],
    ['the secretary, who counts as a volunteer', branch, { ...plain, roles: ['branch-secretary'] }, null],
    ['somebody of the office above', branch, { ...plain, roles: ['in-charge'] }, null],
    ['a mentor', branch, { ...plain, roles: ['mentor'] }, 'other_role'],
    [
      'nobody by the rules of this kind',
      kindPolicy('xibu', 'city-work'),
      { ...plain, roles: [] },
      'other_role',
    ],
    ['another account', branch, { ...plain, hasOtherAccount: true }, 'second_account'],
    ['two others who asked', branch, { ...plain, otherAskers: 2 }, null],
    ['three others who asked', branch, { ...plain, otherAskers: 3 }, 'contested'],
    [
      'a national work group',
      kindPolicy('xibu', 'national-work'),
      { ...plain, roles: ['in-charge'] },
      'human_only',
    ],
    ['another account counts before the kind', human, { ...plain, hasOtherAccount: true }, 'second_account'],
  ])('%s', (_who, kind, standing, reason) => {
    expect(overrule(judged('approved'), kind, standing, xibu)?.reason ?? null).toBe(reason)
  })

  test.each<Decision>(['rejected', 'referred'])('what is %s stays so', decision => {
    expect(
      overrule(judged(decision, 'not_on_roster'), human, { ...plain, hasOtherAccount: true }, xibu),
    ).toBeNull()
  })
})

describe('what an applicant is told', () => {
  test('refused or referred: the same words for all who have not proven who they are', () => {
    for (const reason of admission.answers.unproven.reasons as Reason[]) {
      const say = (decision: 'rejected' | 'referred') => answerTo({ id: 7, groupId: 12, decision, reason })
      expect(say('rejected')).toBe(say('referred'))
      expect(say('rejected')).toBe(
        answerTo({ id: 7, groupId: 12, decision: 'rejected', reason: 'not_on_roster' }),
      )
      for (const decision of ['rejected', 'referred'])
        expect(standingWords({ id: 7, groupId: 12, decision, reason, decidedBy: null })).toEqual({
          state: 'open',
          words: say('referred'),
        })
    }
  })

  test('guessers in one’s name are not mentioned to anybody who asks', () => {
    const say = (reason: 'contested' | 'human_only') =>
      answerTo({ id: 7, groupId: 12, decision: 'referred', reason })
    expect(say('contested')).toBe(say('human_only'))
  })

  test('after a human has refused, whatever the reason was', () => {
    for (const reason of requestReasons)
      expect(standingWords({ id: 7, groupId: 12, decision: 'rejected', reason, decidedBy: 3 }).state).toBe(
        'rejected',
      )
  })

  test('the nickname is the kind’s', () => {
    expect(nicknameIn({ programme: 'xibu', kind: 'branch', unitName: '第一团支部' }, '张思雨')).toBe(
      '第一团支部-张思雨',
    )
  })
})

test.each([
  ['2026-10-20T21:59:59+08:00', '2026-10-20T21:59:59+08:00'],
  ['2026-10-20T22:00:00+08:00', '2026-10-21T07:00:00+08:00'],
  ['2026-10-31T23:30:00+08:00', '2026-11-01T07:00:00+08:00'],
  ['2026-12-31T23:59:59+08:00', '2027-01-01T07:00:00+08:00'],
  ['2026-10-21T00:00:00+08:00', '2026-10-21T07:00:00+08:00'],
  ['2026-10-21T06:59:30+08:00', '2026-10-21T07:00:00+08:00'],
  ['2026-10-21T07:00:00+08:00', '2026-10-21T07:00:00+08:00'],
])('what falls due at %s disturbs nobody before %s', (due, until) => {
  expect(afterQuietHours(new Date(due))).toEqual(new Date(until))
})
