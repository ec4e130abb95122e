import { z } from 'zod'
import { id, monthDay, repeated, source } from './common.ts'

/** How many people one unit sends; absent means all who hold the role. */
const count = z.strictObject({ min: z.int().min(1), max: z.int().min(1) })

/**
 * One line of who belongs in a group, read from the unit that the group is for:
 * - `own-unit`, `parent-unit`, `child-units`, `descendant-units`: holders of the role there
 * - `sending-units`: the universities that sent the volunteers who belong in the group
 * - `contacts`: those who keep long-term contact with the unit (1+100)
 * - `anyone`: people register themselves; `unit-decides`: the unit names them one by one
 */
const memberRule = z.strictObject({
  from: z.enum([
    'own-unit',
    'parent-unit',
    'child-units',
    'descendant-units',
    'sending-units',
    'contacts',
    'anyone',
    'unit-decides',
  ]),
  unitKinds: z.array(id).optional(),
  role: id.optional(),
  categories: z.array(id).optional(),
  count: count.optional(),
  /** How many each unit must have on the roster, where a notice wants every unit represented and gives no number. */
  atLeast: z.int().min(1).optional(),
  /** May be in the group, but nobody is missing when they are not. */
  optional: z.boolean().optional(),
  note: z.string().optional(),
  source,
})

const naming = z.strictObject({ pattern: z.string(), example: z.string(), source })

const obligation = z.enum(['required', 'extension', 'encouraged'])

const groupKind = z.strictObject({
  id,
  name: z.string().min(1),
  levels: z.array(id).min(1),
  /** The units that have such a group, one or more for each of them. */
  unitKinds: z.array(id).min(1),
  /** The kind of unit that leads it; null when the unit that has it leads it too. */
  ledBy: id.nullable(),
  /** `extension` groups are those that a notice builds on the required one; `encouraged` ones are free. */
  obligation,
  mayMergeWith: id.optional(),
  owner: z.strictObject({ from: z.literal('own-unit'), role: id, source }),
  members: z.array(memberRule).min(1),
  naming: naming.optional(),
  admission: z.enum(['audited', 'self-registration']),
  source,
})

const account = z.strictObject({
  id,
  name: z.string().min(1),
  /** Null for an account that each unit opens for itself. */
  wechatId: z.string().nullable(),
  use: z.enum(['follow', 'run']),
  obligation,
  ledBy: id,
  naming: naming.optional(),
  followers: z.array(
    z.strictObject({ role: id, count: count.optional(), note: z.string().optional(), source }),
  ),
  source,
})

const named = z.strictObject({ id, name: z.string().min(1), source })

const duty = z
  .strictObject({
    id,
    name: z.string().min(1),
    value: z.union([z.number().nonnegative(), z.string(), z.array(z.string()).min(1)]),
    /** `share` is 0 to 1; `month-day` is `MM-DD`; `names` is a list of words. */
    unit: z.enum([
      'people',
      'groups',
      'branches',
      'visits',
      'share',
      'hours',
      'days',
      'months',
      'yuan',
      'month-day',
      'names',
    ]),
    /** The units that it binds; absent when it binds all of them. */
    unitKinds: z.array(id).optional(),
    note: z.string().optional(),
    source,
  })
  .refine(
    ({ value, unit }) => {
      if (unit === 'month-day') return typeof value === 'string' && monthDay.test(value)
      if (unit === 'names') return Array.isArray(value)
      return typeof value === 'number' && (unit !== 'share' || value <= 1)
    },
    { error: 'value does not fit its unit' },
  )

const figureOf = z.strictObject({ name: z.string().min(1), figure: z.string(), source: source.optional() })

const noticeDefaults = z.strictObject({
  /** A notice is 当天 unless its writer says otherwise (`policies/notices.json`). */
  importantSameDay: z.strictObject({ value: z.boolean(), source }),
  classifiedForbidden: z.strictObject({ value: z.boolean(), source }),
})

export const programmeSchema = z.strictObject({
  id,
  name: z.string().min(1),
  fullName: z.string().min(1),
  issuer: z.string().min(1),
  documents: z
    .array(
      z.strictObject({
        number: z.string(),
        title: z.string(),
        issuer: z.string(),
        issuedOn: z.iso.date(),
      }),
    )
    .min(1),
  /** From the top downwards. */
  levels: z.array(named).min(1),
  unitKinds: z.array(
    z.strictObject({
      id,
      name: z.string().min(1),
      level: id,
      parents: z.array(id),
      note: z.string().optional(),
      source,
    }),
  ),
  roles: z.array(
    z.strictObject({
      id,
      name: z.string().min(1),
      unitKinds: z.array(id).min(1),
      /** A rule that names one of these roles means this role too. */
      countsAs: z.array(id),
      /** Runs the unit's groups and those of the units below; which roles do is a project assumption. */
      manages: z.boolean(),
      note: z.string().optional(),
      source,
    }),
  ),
  groupKinds: z.array(groupKind).min(1),
  accounts: z.array(account),
  /** 人员类别 of the roster. */
  categories: z.array(named),
  statuses: z.array(named).min(1),
  residences: z
    .array(z.strictObject({ id, name: z.string(), source, occupations: z.array(figureOf).min(1) }))
    .optional(),
  messageCategories: z.array(figureOf).optional(),
  activityCategories: z.array(figureOf).optional(),
  duties: z.array(duty),
  notices: noticeDefaults,
})

export type Programme = z.infer<typeof programmeSchema>
export type Level = Programme['levels'][number]
export type UnitKind = Programme['unitKinds'][number]
export type Role = Programme['roles'][number]
export type GroupKind = z.infer<typeof groupKind>
export type MemberRule = z.infer<typeof memberRule>
export type ProgrammeAccount = z.infer<typeof account>
export type Duty = z.infer<typeof duty>
export type NoticeDefaults = z.infer<typeof noticeDefaults>

/** What a schema cannot see: ids used but not defined, ids defined twice, sources that name an unlisted document. */
export function checkProgramme(programme: Programme): string[] {
  const problems: string[] = []
  const known = {
    level: idsOf(programme.levels),
    'unit kind': idsOf(programme.unitKinds),
    role: idsOf(programme.roles),
    'group kind': idsOf(programme.groupKinds),
    category: idsOf(programme.categories),
  }
  function expect(what: keyof typeof known, used: readonly string[], where: string): void {
    for (const each of used) if (!known[what].has(each)) problems.push(`${where}: unknown ${what} ${each}`)
  }

  for (const list of [
    'levels',
    'unitKinds',
    'roles',
    'groupKinds',
    'accounts',
    'statuses',
    'duties',
  ] as const) {
    for (const each of repeated(programme[list].map(item => item.id)))
      problems.push(`${list}: ${each} occurs twice`)
  }
  for (const kind of programme.unitKinds) {
    expect('level', [kind.level], `unit kind ${kind.id}`)
    expect('unit kind', kind.parents, `unit kind ${kind.id}`)
  }
  for (const role of programme.roles) {
    expect('unit kind', role.unitKinds, `role ${role.id}`)
    expect('role', role.countsAs, `role ${role.id}`)
  }
  for (const kind of programme.groupKinds) {
    const where = `group kind ${kind.id}`
    expect('level', kind.levels, where)
    expect('unit kind', [...kind.unitKinds, ...present(kind.ledBy)], where)
    expect('group kind', present(kind.mayMergeWith), where)
    expect('role', [kind.owner.role], where)
    for (const rule of kind.members) {
      expect('role', present(rule.role), where)
      expect('unit kind', rule.unitKinds ?? [], where)
      expect('category', rule.categories ?? [], where)
      if (!rule.role && rule.from !== 'unit-decides')
        problems.push(`${where}: a ${rule.from} rule has no role`)
    }
    problems.push(...checkNaming(kind.naming, where))
  }
  for (const account of programme.accounts) {
    const where = `account ${account.id}`
    expect('unit kind', [account.ledBy], where)
    expect(
      'role',
      account.followers.map(follower => follower.role),
      where,
    )
    problems.push(...checkNaming(account.naming, where))
  }
  for (const duty of programme.duties) expect('unit kind', duty.unitKinds ?? [], `duty ${duty.id}`)
  return [...problems, ...checkSources(programme)]
}

function idsOf(list: readonly { id: string }[]): Set<string> {
  return new Set(list.map(each => each.id))
}

function present(value: string | null | undefined): string[] {
  return value ? [value] : []
}

function checkNaming(rule: z.infer<typeof naming> | undefined, where: string): string[] {
  if (!rule) return []
  try {
    return new RegExp(rule.pattern, 'u').test(rule.example)
      ? []
      : [`${where}: the example ${rule.example} breaks its own naming rule`]
  } catch {
    return [`${where}: the naming pattern is no regular expression`]
  }
}

/** Every `source` is `project assumption` or begins with the number of a listed document. */
function checkSources(programme: Programme): string[] {
  const numbers = programme.documents.map(document => document.number)
  const problems: string[] = []
  JSON.stringify(programme, (key, value) => {
    const isKnown =
      value === 'project assumption' || numbers.some(number => String(value).startsWith(`${number} `))
    if (key === 'source' && !isKnown) problems.push(`source ${value} names no listed document`)
    return value
  })
  return problems
}
