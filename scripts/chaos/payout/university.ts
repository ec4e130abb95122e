import { insertPersons, startRoles } from '../../../db/queries/persons.ts'
import { unitByCode } from '../../../db/queries/units.ts'
import type { KnownActor } from '../../../server/domain/actor.ts'
import { nameKey, soundKey } from '../../../server/domain/names/name-key.ts'
import { importUnits } from '../../../server/domain/units/import-units.ts'
import type { DomainRuntime } from '../../../server/runtime.ts'
import { PLAYED_UNIVERSITY } from '../../support/merchant.ts'

export interface PlayedVolunteer {
  name: string
  openId: string
}

export interface PlayedUniversity {
  unitId: number
  maker: KnownActor
  checker: KnownActor
}

/** A university with two officers, whose volunteers serve in another province and have bound their accounts. */
export async function fillUniversity(
  rt: DomainRuntime,
  volunteers: readonly PlayedVolunteer[],
): Promise<PlayedUniversity> {
  await importUnits(rt, 'xibu', [
    { code: '0', name: '全国项目办', kind: 'national-office', parentCode: null },
    { code: '37', name: '山东省项目办', kind: 'province-office', parentCode: '0' },
    { code: '61', name: '陕西省项目办', kind: 'province-office', parentCode: '0' },
    { code: '6108', name: '榆林市项目办', kind: 'city-office', parentCode: '61' },
    { code: PLAYED_UNIVERSITY, name: '山东科技大学校项目办', kind: 'university-office', parentCode: '37' },
  ])
  const university = await unitByCode(rt.db, 'xibu', PLAYED_UNIVERSITY)
  const service = await unitByCode(rt.db, 'xibu', '6108')
  if (!university || !service) throw new Error('the units were not made')
  const at = `'${rt.clock.now().toISOString()}'::timestamptz`
  await rt.db.execute(`
    insert into roster_imports (file_name, file_hash, applied_by, applied_at, new_count, changed_count, gone_count)
    values ('volunteers.csv', 'played', 'chaos', ${at}, 0, 0, 0)`)
  for (let from = 0; from < volunteers.length; from += 1000) {
    const part = volunteers.slice(from, from + 1000)
    const ids = await insertPersons(
      rt.db,
      part.map(({ name }) => ({
        name,
        nameKey: nameKey(name),
        soundKey: soundKey(name),
        createdAt: rt.clock.now(),
      })),
    )
    // ids and openids have no quotes in them
    const json = `'${JSON.stringify(part.map(({ openId }, index) => ({ id: ids[index], open_id: openId })))}'::jsonb`
    await rt.db.execute(`
      with given as (select * from jsonb_to_recordset(${json}) as given (id bigint, open_id text)),
      accounts as (
        insert into identities (channel, address, person_id, bound_at, bound_by, is_reachable, created_at)
        select 'official-account', open_id, id, ${at}, 'code', true, ${at} from given
      )
      insert into roster_entries (programme, unit_id, person_id, role, university, starts_on, status, extra, import_id)
      select 'xibu', ${service.id}, id, 'volunteer', '山东科技大学', ${at}::date - 30, '在岗', '{}',
        (select max(id) from roster_imports) from given`)
  }
  const officer = async (name: string, role: string): Promise<KnownActor> => {
    const [id] = await insertPersons(rt.db, [
      { name, nameKey: nameKey(name), soundKey: soundKey(name), createdAt: rt.clock.now() },
    ])
    const personId = id as number
    await startRoles(rt.db, [{ personId, unitId: university.id, role, title: null }], rt.clock.now())
    return {
      identityId: 0,
      channel: 'wecom',
      address: name,
      boundBy: 'code',
      ownsGroups: false,
      person: { id: personId, name },
      roles: [
        {
          programme: 'xibu',
          role,
          unitId: university.id,
          unitName: university.name,
          unitPath: university.path,
          level: university.level,
        },
      ],
    }
  }
  return {
    unitId: university.id,
    maker: await officer('钱制单', 'university-league-head'),
    checker: await officer('孙复核', 'university-office-director'),
  }
}
