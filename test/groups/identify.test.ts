import { describe, expect, test } from 'vitest'
import { identifyMembers, type MemberEvidence } from '../../server/domain/groups/identify.ts'

const entitled = [
  { personId: 1, name: '张思雨' },
  { personId: 2, name: '阿依古丽·买买提' },
  { personId: 3, name: '张伟' },
  { personId: 4, name: '张伟' },
]

function member(address: string, more: Partial<MemberEvidence> = {}): MemberEvidence {
  return { address, nickname: '', remarks: [], boundTo: null, unionTo: null, pass: null, ...more }
}

const code = (personId: number, more: Partial<NonNullable<MemberEvidence['pass']>> = {}) => ({
  id: personId * 10,
  personId,
  isOfGroup: true,
  isEnded: false,
  usedAt: null,
  usedBy: null,
  ...more,
})

function named(members: MemberEvidence[], taken: number[] = []) {
  return Object.fromEntries(
    [...identifyMembers(members, entitled, new Set(taken))].map(
      ([address, { personId, knownBy, misuseOf }]) => [
        address,
        [personId, knownBy, ...(misuseOf === undefined ? [] : [`code of ${misuseOf}`])],
      ],
    ),
  )
}

describe('who a member is', () => {
  test.each<[string, Partial<MemberEvidence>, unknown[]]>([
    ['their own code', { pass: code(1) }, [1, 'join_pass']],
    ['their own code, seen again', { pass: code(1, { usedAt: new Date(), usedBy: 'a' }) }, [1, 'join_pass']],
    ['the code is stronger than the account', { pass: code(1), boundTo: 1 }, [1, 'join_pass']],
    ['an account that is bound', { boundTo: 2 }, [2, 'binding']],
    ['the unionid of a bound Official Account', { unionTo: 2 }, [2, 'unionid']],
    ['a remark that staff wrote', { remarks: ['榆阳一支部-张思雨'] }, [1, 'remark']],
    ['the nickname in the group', { nickname: '榆阳区第一团支部-张思雨' }, [1, 'nickname']],
    ['a name with another dot and in traditional characters', { nickname: '一支部-張思雨' }, [1, 'nickname']],
    ['a remark before a nickname', { remarks: ['张思雨'], nickname: '阿依古丽买买提' }, [1, 'remark']],
    ['a name with a dot behind its unit', { remarks: ['一支部-阿依古丽·买买提'] }, [2, 'remark']],
    ['a name that two people have', { nickname: '一支部-张伟' }, [null, null]],
    ['a name that is only part of another', { nickname: '张思雨她妈' }, [null, null]],
    ['nothing', { nickname: '阳光' }, [null, null]],
    ['a code of another group', { pass: code(1, { isOfGroup: false }) }, [null, null]],
    ['a code that was taken back', { pass: code(1, { isEnded: true }) }, [null, null, 'code of 1']],
    [
      'a code that another account used before',
      { pass: code(1, { usedAt: new Date(), usedBy: 'b' }) },
      [null, null, 'code of 1'],
    ],
    [
      'the code of somebody else, with an account that is bound',
      { pass: code(1), boundTo: 2 },
      [2, 'binding', 'code of 1'],
    ],
  ])('%s', (_what, evidence, expected) => {
    expect(named([member('a', evidence)])).toEqual({ a: expected })
  })

  test('one code at two accounts in one reading: the first has it, the second came by it', () => {
    expect(named([member('a', { pass: code(1) }), member('b', { pass: code(1) })])).toEqual({
      a: [1, 'join_pass'],
      b: [null, null, 'code of 1'],
    })
  })

  test('whoever calls themself as somebody who is there by proof stays unknown', () => {
    expect(named([member('a', { nickname: '张思雨' })], [1])).toEqual({ a: [null, null] })
    expect(named([member('a', { nickname: '张思雨' }), member('b', { boundTo: 1 })])).toEqual({
      a: [null, null],
      b: [1, 'binding'],
    })
  })

  test('two who claim one name: neither is believed', () => {
    expect(named([member('a', { nickname: '张思雨' }), member('b', { nickname: '一支部-张思雨' })])).toEqual({
      a: [null, null],
      b: [null, null],
    })
  })

  test('a second account of somebody who is there stays unnamed', () => {
    expect(named([member('a', { boundTo: 1 }), member('b', { unionTo: 1 })])).toEqual({
      a: [1, 'binding'],
      b: [null, null],
    })
  })
})
