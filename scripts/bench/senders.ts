import { createHash } from 'node:crypto'
import { bindIdentity } from '../../db/queries/identities.ts'
import { personsByIndexes } from '../../db/queries/roster.ts'
import { loadSender } from '../../db/queries/senders.ts'
import { importRoster } from '../../server/domain/roster/import.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import type { DomainRuntime } from '../../server/runtime.ts'

/** How many users the load generator writes as. */
const USERS = 1000
const PROGRAMME = 'qingnong'
const TOWNSHIPS = 10

const surnames = [...'王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗']
const givenNames = [...'伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉']

/** The load generator's user number k in WeCom and in the Official Account. */
export function addressesOf(k: number): { wecom: string; account: string } {
  return {
    wecom: `user${String(k).padStart(5, '0')}`,
    account: `o${createHash('sha1').update(`user ${k}`).digest('base64url')}`,
  }
}

/**
 * Makes every second user of the load generator a person of the roster, bound on both channels: the bot has somebody to
 * look up. The others are accounts never heard of.
 * @returns how many were bound
 */
export async function seedSenders(rt: DomainRuntime): Promise<number> {
  const unitCode = (at: number) => `610802${String(101 + (at % TOWNSHIPS))}`
  await importUnits(rt, PROGRAMME, [
    { code: '610800', name: '榆林市', kind: 'city-committee', parentCode: null },
    { code: '610802', name: '榆阳区', kind: 'county-committee', parentCode: '610800' },
    ...Array.from({ length: TOWNSHIPS }, (_, at) => ({
      code: unitCode(at),
      name: `${givenNames[at]}${givenNames[at + 10]}镇`,
      kind: 'township-committee',
      parentCode: '610802',
    })),
  ])
  const users = Array.from({ length: USERS / 2 }, (_, at) => at * 2)
  const phoneOf = (k: number) => `1390001${String(k).padStart(4, '0')}`
  const rows = users.map((k, at) => {
    const name = `${surnames[at % surnames.length]}${givenNames[Math.floor(at / surnames.length) % givenNames.length]}`
    return `${unitCode(at)},${name},${phoneOf(k)},乡镇团委成员,在岗`
  })
  const csv = `单位编码,姓名,手机号,角色,状态\n${rows.join('\n')}\n`
  const imported = await importRoster(
    rt,
    { name: 'bench.csv', bytes: Buffer.from(csv) },
    { programme: PROGRAMME, isDryRun: false, actorId: null },
  )
  if (!imported.isApplied) throw new Error(`the roster was refused: ${JSON.stringify(imported.problems[0])}`)

  const indexOf = (k: number) => rt.vault.index('phone', phoneOf(k))
  const persons = new Map(
    (await personsByIndexes(rt.db, [], users.map(indexOf))).map(row => [row.phoneIndex, row.id]),
  )
  const now = rt.clock.now()
  for (const k of users) {
    const personId = persons.get(indexOf(k))
    if (personId === undefined) throw new Error(`user ${k} is not in the roster`)
    const { wecom, account } = addressesOf(k)
    for (const [channel, address] of [
      ['wecom', wecom],
      ['official-account', account],
    ] as const) {
      const { identityId } = await loadSender(rt.db, { channel, address }, now)
      await bindIdentity(rt.db, identityId, personId, 'code', now)
    }
  }
  return users.length
}
