import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inTurn } from '../../../db/queries/outgoing.ts'
import { sendToIdentity, sendToPerson } from '../../../server/domain/outgoing/enqueue.ts'
import { bindFirst, fillMatrix, rows } from '../../support/matrix.ts'
import { openStage, type Stage } from '../../support/stage.ts'

describe('a message that somebody is in danger', () => {
  let stage: Stage
  let identityId: number
  let personId: number

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    await bindFirst(stage, stage.sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' }), 'xibu', '610802')
    await stage.settle()
    const [account] = await rows<{ id: string; person_id: string }>(
      stage,
      `select id, person_id from identities where address = 'zhao'`,
    )
    identityId = Number(account?.id)
    personId = Number(account?.person_id)
  })
  afterAll(() => stage.close())

  test('goes before everything else that is due, for others and for the same person, though it came last', async () => {
    const at = stage.clock.now().toISOString()
    // what waits: replies and work for everybody, a notice to very many, and more for this person, some of it under way
    await rows(
      stage,
      `insert into outgoing_messages (kind, person_id, purpose, texts_sealed, status, next_attempt_at, created_at)
       select 'person', p.id, case when n % 2 = 0 then 'reply' else 'review' end, 'x', 'pending', '${at}'::timestamptz - interval '1 hour', '${at}'
       from persons p, generate_series(1, 200) n`,
    )
    await sendToIdentity(stage.rt, identityId, 'reply', '先')
    await sendToPerson(stage.rt, personId, 'relay', '再')
    await rows(
      stage,
      `update outgoing_messages set status = 'sending', claimed_at = '${at}'
       where id = (select max(id) - 1 from outgoing_messages)`,
    )
    const first = await sendToIdentity(stage.rt, identityId, 'danger', '有人有危险')
    const second = await sendToIdentity(stage.rt, identityId, 'danger', '又说')
    const due = await inTurn(stage.rt.db, stage.clock.now(), 5)
    expect(due[0]).toMatchObject({ id: first, isUrgent: true })
    // what was said first is read first
    expect(due.map(each => each.id)).not.toContain(second)
  })
})
