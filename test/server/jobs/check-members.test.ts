import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../../scripts/simulator/index.ts'
import { checkMembers } from '../../../server/jobs/check-members.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

const DAY = 24 * 3600_000

describe('the accounts that are bound, held against the address book each night', () => {
  let stage: Stage
  let city: SimPerson
  let county: SimPerson

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    city = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    county = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
  })
  afterAll(() => stage.close())

  const bound = async () =>
    (
      await rows<{ address: string }>(
        stage,
        "select address from identities where channel = 'wecom' and person_id is not null order by address",
      )
    ).map(row => row.address)
  const night = async () => {
    stage.clock.advance(DAY)
    return checkMembers(stage.rt)
  }

  test('who is there stays, and who is only hidden from the app', async () => {
    stage.sim.admin.setVisibleRange(['gao'])
    for (let nights = 0; nights < 3; nights++) expect(await night()).toBe(0)
    stage.sim.admin.setVisibleRange(null)
    expect(await night()).toBe(0)
    expect(await bound()).toEqual(['gao', 'lin'])
  })

  test('somebody left and nobody told us: unbound after the second night in which the address book could be read', async () => {
    stage.sim.faults.on('drop-callbacks', { path: 'change_contact', times: 1 })
    await stage.sim.admin.removeMember(county.id)
    for (const path of ['user/list_id', 'user/get'])
      for (const fault of ['no-permission', 'http-500'] as const) {
        stage.sim.faults.on(fault, { path })
        await night().catch(() => 0)
        stage.sim.faults.clear()
      }
    expect(await bound()).toEqual(['gao', 'lin'])
    expect(await night()).toBe(0)
    expect(await bound()).toEqual(['gao', 'lin'])
    expect(await night()).toBe(1)
    expect(await bound()).toEqual(['gao'])
    expect(await night()).toBe(0)
    expect(
      await rows(
        stage,
        "select details->>'why' as why from audit_log where action = 'identity.unbound' and details->>'why' = 'left_corp'",
      ),
    ).toHaveLength(1)
  })
})
