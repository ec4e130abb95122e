import { eq } from 'drizzle-orm'
import { units } from '../../db/schema/index.ts'
import type { MerchantSettings } from '../../scripts/simulator/pay/pay.ts'
import { PLAYED_UNIVERSITY, playedMerchant } from '../../scripts/support/merchant.ts'
import type { KnownActor } from '../../server/domain/actor.ts'
import { World } from './clean-matrix.ts'
import { accountSettings, openStage, type Stage, type StageOptions } from './stage.ts'

const NAME = '山东科技大学校项目办'
const ORIGIN = 'https://qunzhen.example.cn'
/** Yuan: enough for 6000 each. */
const RAISED = {
  WECHAT_PAY_MOST_FEN_A_BILL: '1000000',
  WECHAT_PAY_MOST_FEN_A_PERSON_A_DAY: '1000000',
  WECHAT_PAY_MOST_FEN_A_DAY: '1000000000',
}

export interface University {
  stage: Stage
  unitId: number
  /** Two officers of 校项目办: one makes lists, one checks them. */
  maker: KnownActor
  checker: KnownActor
  /** An officer of the province office above. */
  above: KnownActor
  volunteer(input: VolunteerInput): Promise<{ personId: number; simId: string }>
}

export interface VolunteerInput {
  name: string
  /** Where they serve (陕西: out of the university's province). */
  place?: '山东' | '陕西'
  startsOn?: string
  endsOn?: string
  status?: string
  extra?: Record<string, string>
  /** false: nobody has bound an account. */
  isBound?: boolean
  university?: string
  /** A further row of somebody who is there. */
  personId?: number
}

/** A university of 山东 that pays through the simulator's WeChat Pay. */
export async function openUniversity(
  options: StageOptions & { merchant?: Partial<MerchantSettings> } = {},
): Promise<University> {
  const merchant = playedMerchant(accountSettings.appId)
  const reach: Record<string, string> = {}
  const { merchant: change, ...rest } = options
  const stage = await openStage({
    ...rest,
    env: { PUBLIC_URL: ORIGIN, ...RAISED, ...rest.env },
    envFrom(sim) {
      sim.pay.addMerchant({
        ...merchant.settings,
        reach,
        balance: 1_000_000_000,
        amounts: { maxPerBill: 1_000_000, perUserDay: 1_000_000, perDay: 1_000_000_000 },
        ...change,
      })
      const platform = change?.keyMode === 'certificate' ? null : sim.pay.platform()
      return merchant.environment(sim.baseUrls.pay, platform)
    },
  })
  reach[ORIGIN] = stage.serverUrl
  const world = new World(stage.rt.db, stage.clock.now())
  await world.unit('xibu', '全国项目办', 'national-office', 'national', null)
  for (const province of ['山东', '陕西']) {
    await world.unit('xibu', `${province}省项目办`, 'province-office', 'province', '全国项目办')
    await world.unit('xibu', `${province}团支部`, 'volunteer-branch', 'branch', `${province}省项目办`)
  }
  await world.unit('xibu', NAME, 'university-office', 'university', '山东省项目办')
  const isOurs = eq(units.id, world.unitId(NAME))
  await stage.rt.db.update(units).set({ code: PLAYED_UNIVERSITY }).where(isOurs)
  const officer = async (name: string, unit: string, role: string): Promise<KnownActor> => {
    const personId = await world.serves(name, unit, role)
    const [row] = await stage.rt.db
      .select()
      .from(units)
      .where(eq(units.id, world.unitId(unit)))
    const { id: unitId, name: unitName, path: unitPath, level, programme } = row as NonNullable<typeof row>
    return {
      identityId: 0,
      channel: 'wecom',
      address: name,
      boundBy: 'code',
      ownsGroups: false,
      person: { id: personId, name },
      roles: [{ programme, role, unitId, unitName, unitPath, level }],
    }
  }
  return {
    stage,
    unitId: world.unitId(NAME),
    maker: await officer('钱制单', NAME, 'university-league-head'),
    checker: await officer('孙复核', NAME, 'university-office-director'),
    above: await officer('李省办', '山东省项目办', 'in-charge'),
    async volunteer({ name, place = '陕西', isBound = true, personId: known, ...term }) {
      const personId = await world.serves(known ?? name, `${place}团支部`, 'volunteer', {
        university: '山东科技大学',
        startsOn: '2026-07-25',
        endsOn: '2027-07-24',
        ...term,
      })
      if (known !== undefined) return { personId, simId: '' }
      if (isBound) await world.follows(personId)
      const sim = stage.sim.addPerson({ name, openId: `o-${personId}` })
      return { personId, simId: sim.id }
    },
  }
}
