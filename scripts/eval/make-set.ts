import { NICKNAMES } from './names.ts'
import type { Label } from './policy.ts'
import { Random } from './random.ts'
import { isInScope, makeRoster, type Person, type Roster, type SetGroup } from './roster.ts'
import { SCENES, type Stage, unknownAccount } from './scenes.ts'

export interface SetRequest {
  id: string
  group: string
  group_name: string
  at: string
  sender_nickname: string
  sender_wechat: string | null
  text: string
}

export interface LabelledRequest {
  request: SetRequest
  label: Label
  scene: string
}

export interface RequestSet {
  roster: Roster
  requests: LabelledRequest[]
}

const START = Date.parse('2026-07-02T00:00:00+08:00')
const DAY = 86_400_000
/** Offsets that a platform may print, in minutes. */
const OFFSETS = [480, 480, 480, 480, 480, 0, 0, 360, -480, 345, 540]

/** The same moment, printed with an offset. */
function printed(at: Date, offset: number): string {
  const local = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, 19)
  if (offset === 0) return `${local}Z`
  const size = Math.abs(offset)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${local}${offset < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`
}

function aMoment(random: Random): Date {
  const day = START + random.int(0, 12) * DAY
  // around midnight in Beijing, and around midnight UTC
  if (random.chance(0.15))
    return new Date(START + random.pick([5, 6, 7]) * DAY + random.pick([-300, -20, 0, 61, 190]) * 1000)
  return new Date(day + random.int(7 * 3600, 23 * 3600) * 1000)
}

/**
 * Makes a roster and requests for its groups, each labelled by what was planted. The same seed makes the same set.
 *
 * @param rosterRows lines of the sheet; people with two terms have two.
 */
export function makeSet(seed: number, requestCount: number, rosterRows: number): RequestSet {
  const random = new Random(seed)
  const roster = makeRoster(random, rosterRows)
  const inScope = new Map<SetGroup, Person[]>()
  const peopleOf = (group: SetGroup) => {
    const known = inScope.get(group)
    if (known) return known
    const people = roster.people.filter(person => person.rows.some(row => isInScope(row, group)))
    inScope.set(group, people)
    return people
  }
  const kinds = SCENES.map(each => [each, each[1]] as const)
  const requests: LabelledRequest[] = []
  while (requests.length < requestCount) {
    const [name, , make] = random.weighted(kinds)
    for (let tries = 0; tries < 12; tries++) {
      const group = random.pick(roster.groups)
      const people = peopleOf(group)
      if (people.length === 0) continue
      const person = random.pick(people)
      const others = people.filter(other => other.name.full !== person.name.full)
      const stage: Stage = {
        roster,
        random,
        group,
        person,
        row: person.rows.find(row => isInScope(row, group)) as Stage['row'],
        neighbour: others.length > 0 ? random.pick(others) : null,
        at: aMoment(random),
        sender: random.weighted([
          [null, 6],
          [unknownAccount(random), 1.5],
        ] as const),
      }
      const made = make(stage)
      if (!made) continue
      requests.push({
        scene: name,
        label: made.label,
        request: {
          id: `Q${String(requests.length + 1).padStart(5, '0')}`,
          group: group.id,
          group_name: group.name,
          at: printed(made.asking.at, random.pick(OFFSETS)),
          sender_nickname: random.pick(NICKNAMES),
          sender_wechat: made.asking.sender,
          text: made.text,
        },
      })
      break
    }
  }
  return { roster, requests }
}
