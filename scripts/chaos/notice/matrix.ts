import { insertPersons, startRoles } from '../../../db/queries/persons.ts'
import { unitByCode } from '../../../db/queries/units.ts'
import type { KnownActor } from '../../../server/domain/actor.ts'
import { nameKey, soundKey } from '../../../server/domain/names/name-key.ts'
import { issueNotice } from '../../../server/domain/notices/issue.ts'
import { importUnits } from '../../../server/domain/units/import-units.ts'
import { type DomainRuntime, inTransaction } from '../../../server/runtime.ts'
import type { GroupCounts, PlatformGroup } from './platform.ts'

const PROGRAMME = 'qingnong'
const CODE = '610800'
const BODY = '请各群组织收看今晚的公开课，并把收看情况告诉群主。'

const platforms: Record<keyof GroupCounts, string> = {
  robots: 'internal',
  appchats: 'appchat',
  customers: 'customer',
  relayed: 'wechat',
}

export interface NoticeSender {
  actor: KnownActor
  unitId: number
}

/** Registers the groups of a platform with their owners, below one unit. @returns who may send a notice to them */
export async function fillMatrix(rt: DomainRuntime, groups: PlatformGroup[]): Promise<NoticeSender> {
  await importUnits(rt, PROGRAMME, [{ code: CODE, name: '榆林市', kind: 'city-committee', parentCode: null }])
  const unit = await unitByCode(rt.db, PROGRAMME, CODE)
  if (!unit) throw new Error('the unit was not made')
  const now = rt.clock.now()
  const at = `'${now.toISOString()}'::timestamptz`
  const name = '高市书'
  const [officerId] = await insertPersons(rt.db, [
    { name, nameKey: nameKey(name), soundKey: soundKey(name), createdAt: now },
  ])
  const personId = officerId as number
  await startRoles(rt.db, [{ personId, unitId: unit.id, role: 'rural-officer', title: null }], now)
  const rows = groups.map(({ kind, key, owner }) => ({
    platform: platforms[kind],
    chat: kind === 'appchats' || kind === 'customers' ? key : null,
    // whoever has the key can post, so it is kept sealed as in a real matrix
    webhook: kind === 'robots' ? rt.vault.seal(key) : null,
    owner,
  }))
  for (let from = 0; from < rows.length; from += 2000) {
    // userids, keys and sealed values have no quotes in them
    const json = `'${JSON.stringify(rows.slice(from, from + 2000))}'::jsonb`
    const given = `jsonb_to_recordset(${json}) as given (platform text, chat text, webhook text, owner text)`
    await rt.db.execute(`
      with fresh as (
        insert into persons (name, name_key, sound_key, created_at)
        select distinct owner, owner, owner, ${at} from ${given}
        where not exists (select from persons where name = given.owner) returning id, name
      )
      insert into identities (channel, address, person_id, bound_at, bound_by, is_reachable, created_at)
      select 'wecom', name, id, ${at}, 'code', true, ${at} from fresh`)
    await rt.db.execute(`
      insert into groups (programme, kind, unit_id, name, platform, owner_id, chat_id, webhook_sealed, capacity, size,
        created_at)
      select '${PROGRAMME}', 'youth', ${unit.id}, '群主 ' || owner, platform, p.id, chat, webhook, 500, 40, ${at}
      from ${given} join persons p on p.name = given.owner`)
  }
  for (const table of ['persons', 'identities', 'groups']) await rt.db.execute(`vacuum analyze ${table}`)
  const actor: KnownActor = {
    identityId: 0,
    channel: 'wecom',
    address: 'officer',
    boundBy: 'code',
    ownsGroups: false,
    person: { id: personId, name },
    roles: [
      {
        unitId: unit.id,
        unitName: unit.name,
        unitPath: unit.path,
        programme: unit.programme,
        level: unit.level,
        role: 'rural-officer',
      },
    ],
  }
  return { actor, unitId: unit.id }
}

/** Sends an urgent notice, which goes out at any hour. @returns how many groups it is for, and the words that it is known by */
export async function sendNotice(
  rt: DomainRuntime,
  { actor, unitId }: NoticeSender,
  number = 1,
): Promise<{ groups: number; mark: string }> {
  const mark = `第 ${number} 讲：${BODY}`
  const { groups } = await inTransaction(rt, tx =>
    issueNotice(tx, actor, { unitId, body: mark, category: '其他', importance: 'urgent' }),
  )
  return { groups, mark }
}
