import type { Matrix, MatrixAccount, MatrixGroup, MatrixUnit } from '../../db/queries/rehearsal-matrix.ts'
import { chanceOf } from './chance.ts'

const PROGRAMME = 'qingnong'
const GROUPS_OF_A_TOWNSHIP = 8
const TOWNSHIPS_OF_A_COUNTY = 16
/** In a thousand groups: how many have no owner, and of owners how many have no account. */
const OWNERLESS = 0.005
const WITHOUT_ACCOUNT = 0.01
/** Townships with one officer only, and counties where a single person is named for the groups (专人). */
const ALONE = 0.3
const NAMED = 0.5
/** The rest are ordinary groups, where the owner forwards by hand. */
const PLATFORMS = [
  ['customer', 0.1],
  ['internal', 0.05],
  ['appchat', 0.03],
] as const

/**
 * A city of the rural programme with its counties, townships and the youth groups below, for those who have no matrix of
 * their own yet: a township has its secretary and mostly a second contact, who own a group each; the other groups belong to
 * people of the villages. A little is amiss, as everywhere.
 */
export function inventMatrix(groupCount: number, seed: number): Matrix {
  const matrix: Matrix = {
    programme: PROGRAMME,
    units: [],
    groups: [],
    roles: [],
    accounts: [],
    groupsInAll: groupCount,
  }
  let persons = 0
  const members = new Set<number | null>()
  const person = (name: string, isOfficer: boolean): number => {
    const id = ++persons
    if (!isOfficer && chanceOf(seed, name, 'account') < WITHOUT_ACCOUNT) return id
    const account = accountOf(id, seed)
    matrix.accounts.push(account)
    if (account.isMember) members.add(id)
    return id
  }
  const unit = (level: string, kind: string, parent: MatrixUnit | null, code: string, name: string) => {
    const id = matrix.units.length + 1
    const made: MatrixUnit = {
      id,
      code,
      name,
      kind,
      level,
      parentId: parent?.id ?? null,
      path: `${parent?.path ?? '/'}${id}/`,
      managerId: null,
    }
    matrix.units.push(made)
    return made
  }
  const office = (at: MatrixUnit, role: string, count: number): number[] =>
    Array.from({ length: count }, (_, index) => {
      const personId = person(`${at.code} ${index}`, true)
      matrix.roles.push({ personId, unitId: at.id, role })
      return personId
    })
  const group = (at: MatrixUnit, kind: string, ownerId: number | null) => {
    const id = matrix.groups.length + 1
    const ways = platformOf(id, members.has(ownerId), seed)
    matrix.groups.push({ id, kind, unitId: at.id, size: 40, ownerId, ...ways })
  }

  const city = unit('city', 'city-committee', null, '1', '演练市')
  office(city, 'rural-officer', 2)
  for (let county = 1; matrix.groups.length < groupCount; county++) {
    const countyUnit = unit('county', 'county-committee', city, `1-${county}`, `演练${county}县`)
    const [first = null] = office(countyUnit, 'rural-officer', 2)
    if (chanceOf(seed, countyUnit.code, 'named') < NAMED) countyUnit.managerId = first
    group(countyUnit, 'county-cadres', first)
    for (let at = 1; at <= TOWNSHIPS_OF_A_COUNTY && matrix.groups.length < groupCount; at++) {
      const code = `1-${county}-${at}`
      const township = unit('township', 'township-committee', countyUnit, code, `演练${county}县${at}镇`)
      const officers = office(township, 'committee-member', chanceOf(seed, code, 'alone') < ALONE ? 1 : 2)
      for (let own = 0; own < GROUPS_OF_A_TOWNSHIP && matrix.groups.length < groupCount; own++) {
        const owner = officers[own] ?? person(`${code} owner ${own}`, false)
        if (own >= officers.length)
          matrix.roles.push({ personId: owner, unitId: township.id, role: 'village-official' })
        const isOwnerless = own >= officers.length && chanceOf(seed, code, own, 'ownerless') < OWNERLESS
        group(township, own === 0 ? 'township-cadres' : 'youth', isOwnerless ? null : owner)
      }
    }
  }
  return matrix
}

/** Half have a WeCom account, the others follow the Official Account; a fifth of them have written to it lately. */
function accountOf(personId: number, seed: number): MatrixAccount {
  const isWecom = chanceOf(seed, personId, 'channel') < 0.5
  return {
    personId,
    channel: isWecom ? 'wecom' : 'official-account',
    isMember: isWecom,
    isReachable: true,
    isOpen: !isWecom && chanceOf(seed, personId, 'window') < 0.2,
  }
}

/** @param isMember whether the owner is a member of the corp: nobody else has customer groups */
function platformOf(
  groupId: number,
  isMember: boolean,
  seed: number,
): Pick<MatrixGroup, 'platform' | 'hasChat' | 'hasRobot'> {
  let left = chanceOf(seed, groupId, 'platform')
  for (const [platform, share] of PLATFORMS) {
    left -= share
    if (left < 0 && (platform !== 'customer' || isMember))
      return { platform, hasChat: platform !== 'internal', hasRobot: platform === 'internal' }
  }
  return { platform: 'wechat', hasChat: false, hasRobot: false }
}
