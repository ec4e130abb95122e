import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DueDelivery } from '../../../../db/queries/cascade.ts'
import { type AskFacts, bundle, whomToAsk } from '../../../../server/domain/notices/whom-to-ask.ts'

const OWNER = 1
const TOWN = 10
const COUNTY = 20
const AUTHOR = 99

/** A township's group (unit 5 in unit 2), of a notice of the county (unit 2). */
const delivery = (change: Partial<DueDelivery> = {}): DueDelivery => ({
  id: 1,
  noticeId: 7,
  to: 'owner',
  route: 'relay',
  status: 'sent',
  ownerId: OWNER,
  ownerName: '王镇川',
  groupId: 3,
  groupName: '镇川青年',
  unitId: 5,
  unitName: '镇川镇',
  unitPath: '/1/2/5/',
  parentUnitId: 2,
  ...change,
})
const facts = (change: Partial<AskFacts> = {}): AskFacts => ({
  answerersOf: unitId => ({ 5: [TOWN], 2: [COUNTY] })[unitId] ?? [],
  noticeUnitPath: '/1/2/',
  authorId: AUTHOR,
  canReach: () => true,
  wasAsked: () => false,
  ...change,
})

describe('who is asked about a group without the notice', () => {
  test.each<[string, Partial<DueDelivery>, Partial<AskFacts>, [number, string][]]>([
    ['first its owner', {}, {}, [[OWNER, 'owner']]],
    ['the owner of a mass task, who must confirm it', { route: 'mass' }, {}, [[OWNER, 'owner']]],
    ['of a group without an owner, the unit at once', { ownerId: null }, {}, [[TOWN, 'unit']]],
    ['nobody, while a robot may still post', { route: 'robot', status: 'pending' }, {}, []],
    ['nobody, while the request to relay has not left', { status: 'pending' }, {}, []],
    [
      'the unit at once, when a robot was given up in a group without an owner',
      { status: 'failed', ownerId: null },
      {},
      [[TOWN, 'unit']],
    ],
    [
      'the owner, when nobody knows whether it is there',
      { route: 'robot', status: 'unknown' },
      {},
      [[OWNER, 'owner']],
    ],
    [
      'the unit at once, when the owner has no account',
      {},
      { canReach: id => id !== OWNER },
      [[TOWN, 'unit']],
    ],
    [
      'the unit above at once, when nobody below has one',
      {},
      { canReach: id => id === COUNTY },
      [[COUNTY, 'unit-above']],
    ],
    ['then those who answer for the unit', { to: 'unit' }, {}, [[TOWN, 'unit']]],
    [
      'the unit above, where the owner answers for the unit',
      { to: 'unit', ownerId: TOWN },
      {},
      [[COUNTY, 'unit-above']],
    ],
    [
      'the unit above, where nobody does',
      { to: 'unit' },
      { answerersOf: id => (id === 2 ? [COUNTY] : []) },
      [[COUNTY, 'unit-above']],
    ],
    ['last the unit above', { to: 'unit-above' }, {}, [[COUNTY, 'unit-above']]],
    [
      'the next above, where the unit above was asked before its turn',
      { to: 'unit-above', unitPath: '/1/2/4/5/', unitId: 5, parentUnitId: 4 },
      { answerersOf: id => ({ 4: [TOWN], 2: [COUNTY] })[id] ?? [], wasAsked: id => id === TOWN },
      [[COUNTY, 'unit-above']],
    ],
    [
      'its author, where all between were asked',
      { to: 'unit-above' },
      { wasAsked: id => id === COUNTY },
      [[AUTHOR, 'unit-above']],
    ],
    ['nobody twice', { to: 'unit-above' }, { wasAsked: () => true }, []],
    [
      'nobody above the unit that sent it, but its author',
      { to: 'unit-above', unitId: 2, unitPath: '/1/2/', parentUnitId: 1 },
      {},
      [[AUTHOR, 'unit-above']],
    ],
    [
      'no author about their own group',
      { to: 'unit-above', unitId: 2, unitPath: '/1/2/', parentUnitId: 1, ownerId: AUTHOR },
      {},
      [],
    ],
  ])('%s', (_what, due, known, expected) => {
    expect(whomToAsk(delivery(due), facts(known)).map(ask => [ask.personId, ask.as])).toEqual(expected)
  })
})

test('each person gets one message, and none about a notice of which they have had enough', () => {
  const asks = [
    ...whomToAsk(delivery(), facts()),
    ...whomToAsk(delivery({ id: 2, noticeId: 8 }), facts()),
    ...whomToAsk(delivery({ id: 3, noticeId: 9 }), facts()),
  ]
  const bundles = bundle(asks, new Map([['8 1', 4]]), 4)
  expect(bundles.map(({ personId, asks: own }) => [personId, own.map(ask => ask.delivery.noticeId)])).toEqual(
    [[OWNER, [7, 9]]],
  )
})

/** Groups, of which some get the notice at some moment; three steps come by, in any spacing. */
const cascade = fc.record({
  groups: fc.array(
    fc.record({
      owner: fc.option(fc.integer({ min: 1, max: 6 }), { nil: null }),
      unit: fc.integer({ min: 1, max: 4 }),
      /** Before which step it is posted; 3: never. */
      postedBefore: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  /** Who answers for which unit; 0 is the unit that sends. */
  answerers: fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 2 }), {
    minLength: 5,
    maxLength: 5,
  }),
})

test('nobody is chased after they answered, nor told about one notice more than four times', () => {
  fc.assert(
    fc.property(cascade, ({ groups, answerers }) => {
      const asked = new Set<string>()
      const had = new Map<string, number>()
      for (const { owner } of groups) if (owner !== null) had.set(`7 ${owner}`, 1)
      for (const [step, to] of ['owner', 'unit', 'unit-above'].entries()) {
        const asks = groups.flatMap(({ owner, unit, postedBefore }, index) =>
          postedBefore <= step
            ? []
            : whomToAsk(
                delivery({
                  id: index,
                  to,
                  ownerId: owner,
                  unitId: unit,
                  unitPath: `/0/${unit}/`,
                  parentUnitId: 0,
                }),
                facts({
                  noticeUnitPath: '/0/',
                  answerersOf: id => answerers[id] ?? [],
                  wasAsked: personId => asked.has(`${index} ${personId}`),
                }),
              ),
        )
        for (const { personId, asks: own } of bundle(asks, had, 4)) {
          expect(own.length).toBeGreaterThan(0)
          had.set(`7 ${personId}`, (had.get(`7 ${personId}`) ?? 0) + 1)
          for (const ask of own) {
            const group = groups[ask.delivery.id]
            expect(group?.postedBefore).toBeGreaterThan(step)
            if (ask.as === 'owner') expect(group?.owner).toBe(personId)
            else {
              expect(group?.owner).not.toBe(personId)
              expect(asked.has(`${ask.delivery.id} ${personId}`)).toBe(false)
              asked.add(`${ask.delivery.id} ${personId}`)
            }
          }
        }
      }
      for (const count of had.values()) expect(count).toBeLessThanOrEqual(4)
    }),
    { numRuns: 300 },
  )
})
