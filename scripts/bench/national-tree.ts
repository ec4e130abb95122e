import { insertPersons, startRoles } from '../../db/queries/persons.ts'
import { unitByCode } from '../../db/queries/units.ts'
import { nameKey, soundKey } from '../../server/domain/names/name-key.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import type { DomainRuntime } from '../../server/runtime.ts'

const PROGRAMME = 'shaoxiandui'
/** How many units of each level there are: provinces, cities, counties, townships (../shared/peers.md D), below one nation. */
const COUNTS = [31, 342, 2978, 41_352] as const
const KINDS = ['province-committee', 'city-committee', 'county-committee', 'school'] as const

/** Fills a database with a tree as large as the nation's, and somebody at its top. */
export async function nationalTree(rt: DomainRuntime): Promise<{ officerId: number; provinceId: number }> {
  const rows: { code: string; name: string; kind: string; parentCode: string | null }[] = []
  let parents = ['0']
  rows.push({ code: '0', name: '全国', kind: 'national-office', parentCode: null })
  for (const [level, count] of COUNTS.entries()) {
    const own = Array.from({ length: count }, (_, at) => `${level + 1}-${at}`)
    for (const [at, code] of own.entries())
      rows.push({
        code,
        name: `单位${code}`,
        kind: KINDS[level] as string,
        parentCode: parents[Math.floor((at * parents.length) / count)] as string,
      })
    parents = own
  }
  await importUnits(rt, PROGRAMME, rows)
  const top = await unitByCode(rt.db, PROGRAMME, '0')
  const province = await unitByCode(rt.db, PROGRAMME, '1-0')
  const [officerId] = await insertPersons(rt.db, [
    { name: '全国办', nameKey: nameKey('全国办'), soundKey: soundKey('全国办'), createdAt: rt.clock.now() },
  ])
  if (!top || !province || officerId === undefined) throw new Error('the tree was not made')
  await startRoles(
    rt.db,
    [{ personId: officerId, unitId: top.id, role: 'office-comrade', title: null }],
    rt.clock.now(),
  )
  return { officerId, provinceId: province.id }
}
