import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDueGroups } from '../../server/jobs/read-groups.ts'
import { afterEvents, bindFirst, bindThrough, claimGroup, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

test('a reading deletes no way in: one whose deletion the platform refused for now is not forgotten', async () => {
  await fillMatrix(stage)
  const { sim } = stage
  const liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
  const zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
  const zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
  await bindFirst(stage, liu, 'xibu', '610800')
  await bindThrough(stage, liu, zhao)
  await bindThrough(stage, zhao, zhou)
  const branch = await claimGroup(stage, zhou, '榆阳区第一团支部', '团支部群')
  const zhang = sim.addPerson({ name: '张思雨', openId: 'o-zhang', externalUserId: 'wm-zhang' })
  await stage.say(zhang.id, `入群 ${branch.number} 张思雨 13800000006`)
  await stage.settle()
  const code = /(https?:\/\/\S+)$/.exec(
    stage.received(zhang.id).findLast(text => text.includes('入群码')) ?? '',
  )?.[1]
  await sim.joinByCode(code ?? '', zhang.id)
  sim.faults.on('ip-refused', { path: 'del_join_way' })
  await afterEvents(stage)
  await readDueGroups(stage.rt)
  expect(
    await rows(stage, 'select used_at is not null as used, config_id is not null as stands from join_passes'),
  ).toEqual([{ used: true, stands: true }])
})
