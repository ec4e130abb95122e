import { describe, expect, test } from 'vitest'
import type { Actor } from '../../../server/domain/actor.ts'
import { type Eye, eyeOf, shownNumbers } from '../../../server/domain/persons/shown-numbers.ts'
import { randomDataKey } from '../../../server/start.ts'
import { loadTemplates } from '../../../server/templates.ts'
import { createVault } from '../../../server/vault.ts'

const templates = loadTemplates()
const vault = createVault(randomDataKey())
const person = {
  phoneSealed: vault.seal('13800000006'),
  idNumberSealed: vault.seal('61080220010307312X'),
  wechatSealed: vault.seal('zhangsiyu2001'),
}

/** Somebody with one role. 榆阳区 is `/1/2/3/4/`, its branch `/1/2/3/4/5/`. */
function actor(id: number, role: string, unitPath: string): Actor {
  return {
    identityId: 1,
    channel: 'wecom',
    address: 'x',
    person: { id, name: '某人' },
    roles: [{ unitId: 9, unitName: '某单位', unitPath, programme: 'xibu', level: 'county', role }],
    ownsGroups: false,
    boundBy: 'code',
  }
}
const manages = (role: string) => templates.role('xibu', role).manages
const [officer, volunteer] = ['in-charge', 'volunteer']

test('the roles of this table are what they are taken for', () => {
  expect([manages(officer), manages(volunteer)]).toEqual([true, false])
})

const BRANCH = '/1/2/3/4/5/'
const stands = { id: 100, places: [BRANCH], ownerIds: [200] }

test.each<[string, Actor, typeof stands, Eye]>([
  ['the person', actor(100, volunteer, BRANCH), stands, 'self'],
  ['the person, who also runs the county', actor(100, officer, '/1/2/3/4/'), stands, 'self'],
  ['the county office', actor(1, officer, '/1/2/3/4/'), stands, 'office'],
  ['the city office', actor(1, officer, '/1/2/3/'), stands, 'office'],
  ['the national office', actor(1, officer, '/1/'), stands, 'office'],
  ['the office of another county', actor(1, officer, '/1/2/3/6/'), stands, 'nobody'],
  ['an office whose number only begins alike', actor(1, officer, '/1/2/3/44/'), stands, 'nobody'],
  ['an office below', actor(1, officer, '/1/2/3/4/5/6/'), stands, 'nobody'],
  ['another volunteer of the branch', actor(1, volunteer, BRANCH), stands, 'nobody'],
  ['the owner of a group of theirs', actor(200, volunteer, BRANCH), stands, 'owner'],
  ['the owner of a group, who also runs the county', actor(200, officer, '/1/2/3/4/'), stands, 'office'],
  [
    'an office, of somebody who stands nowhere',
    actor(1, officer, '/1/'),
    { ...stands, places: [] },
    'nobody',
  ],
  ['an administrator without an office', { ...actor(1, officer, '/1/'), roles: [] }, stands, 'nobody'],
  [
    'an account that is not bound',
    { ...actor(1, volunteer, BRANCH), person: null, roles: [] },
    stands,
    'nobody',
  ],
])('%s looks', (_who, viewer, of, eye) => {
  expect(eyeOf(templates, viewer, of)).toBe(eye)
})

describe('what is seen', () => {
  test.each<[Eye, string | null, string | null, string | null]>([
    ['self', '138****0006', '610*************2X', 'zh**********1'],
    ['office', '138****0006', '610*************2X', null],
    ['owner', '138****0006', null, null],
    ['token', '138****0006', null, null],
    ['full-token', '13800000006', null, null],
    ['nobody', null, null, null],
  ])('as %s', (eye, phone, idNumber, wechat) => {
    const seen = shownNumbers(vault, person, eye)
    expect([
      seen.phone,
      seen.idNumber?.replace(/\*+/, '*************'),
      seen.wechat?.replace(/\*+/, '**********'),
    ]).toEqual([phone, idNumber ?? undefined, wechat ?? undefined])
  })

  test('of somebody of whom nothing is known: nothing, whoever looks', () => {
    for (const eye of ['self', 'office', 'owner', 'token', 'full-token', 'nobody'] as const)
      expect(shownNumbers(vault, { phoneSealed: null }, eye)).toEqual({
        phone: null,
        idNumber: null,
        wechat: null,
      })
  })
})
