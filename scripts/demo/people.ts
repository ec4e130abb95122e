import type { SimPerson } from '../simulator/index.ts'
import type { Cast, CountyCast, Player, TownshipCast } from './cast.ts'
import type { DemoStage } from './stage.ts'

/** An owner: who they are, their groups, and how they take their duty. */
export interface Owner {
  person: SimPerson
  township: TownshipCast
  /** Simulator group id → the number the bot gave it. */
  groups: Map<string, number>
  /** How they answer a notice: within hours, after the reminders, or not at all. */
  mood: 'prompt' | 'late' | 'never'
}

/** Everybody of the play as the simulator knows them. */
export interface Players {
  city: SimPerson
  cityColleague: SimPerson
  cityOffice: SimPerson
  officers: Map<
    CountyCast,
    { officer: SimPerson; colleague: SimPerson; office: SimPerson; secretary: SimPerson }
  >
  owners: Owner[]
  volunteers: { person: SimPerson; player: Player; county: CountyCast }[]
}

/** Owners of a township among its cadres. */
export const OWNERS_A_TOWNSHIP = 3

/**
 * Puts the cast into the simulator: offices and secretaries in WeCom, owners and volunteers behind the Official
 * Account, owners of the first county in both, because theirs are customer groups.
 */
export function enter(stage: DemoStage, cast: Cast): Players {
  const { sim } = stage
  let serial = 0
  const inWecom = (player: Player, note: string) =>
    sim.addPerson({ name: player.name, wecomUserId: `member${++serial}`, note })
  const officers: Players['officers'] = new Map()
  const owners: Owner[] = []
  const volunteers: Players['volunteers'] = []
  for (const county of cast.counties) {
    officers.set(county, {
      officer: inWecom(county.officer, `${county.name}团委副书记`),
      colleague: inWecom(county.colleague, `${county.name}团委`),
      office: inWecom(county.office, `${county.name}西部计划项目办主任`),
      secretary: inWecom(county.secretary, `${county.name}志愿者团支部书记 · 群主`),
    })
    for (const township of county.townships)
      for (const [index, player] of township.cadres.slice(0, OWNERS_A_TOWNSHIP).entries()) {
        const order = owners.length
        owners.push({
          person: sim.addPerson({
            name: player.name,
            openId: `o-owner-${++serial}`,
            ...(hasCustomerGroups(cast, township) && index === 0 ? { wecomUserId: `owner${serial}` } : {}),
            note: `${township.name}${player.title} · 群主`,
          }),
          township,
          groups: new Map(),
          mood: order % 20 < 14 ? 'prompt' : order % 20 < 18 ? 'late' : 'never',
        })
      }
    for (const player of county.volunteers)
      volunteers.push({
        person: sim.addPerson({
          name: player.name,
          openId: `o-volunteer-${++serial}`,
          externalUserId: `wm-volunteer-${serial}`,
          unionId: `u-volunteer-${serial}`,
          note: `${county.name}西部计划志愿者`,
        }),
        player,
        county,
      })
  }
  return {
    city: inWecom(cast.cityOfficer, '团市委青工农部部长'),
    cityColleague: inWecom(cast.cityColleague, '团市委青工农部副部长'),
    cityOffice: inWecom(cast.cityOffice, '榆林市西部计划项目办主任'),
    officers,
    owners,
    volunteers,
  }
}

/** In the first county's townships one group each is a WeCom customer group. */
export function hasCustomerGroups(cast: Cast, township: TownshipCast): boolean {
  return township.county === cast.counties[0]
}
