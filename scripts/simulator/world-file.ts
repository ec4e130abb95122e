import { z } from 'zod'
import type { Simulator } from './simulator.ts'

const wecomApp = z.strictObject({
  corpId: z.string().min(1),
  agentId: z.coerce.number().int().positive(),
  secret: z.string().min(1),
  token: z.string().min(1),
  aesKey: z.string().regex(/^[A-Za-z0-9]{43}$/, '必须是 43 个字母或数字'),
  callbackUrl: z.url().optional(),
  name: z.string().optional(),
})

const officialAccount = z.strictObject({
  appId: z.string().min(1),
  originalId: z.string().min(1).default('gh_simulator000'),
  secret: z.string().min(1),
  token: z.string().min(1),
  aesKey: z
    .string()
    .regex(/^([A-Za-z0-9]{43})?$/, '必须是 43 个字母或数字')
    .default(''),
  mode: z.enum(['plain', 'compatible', 'secure']).default('secure'),
  kind: z.enum(['service', 'subscription']).default('service'),
  templates: z.record(z.string(), z.array(z.string())).optional(),
  callbackUrl: z.url().optional(),
  name: z.string().optional(),
})

const person = z.strictObject({
  key: z.string().min(1),
  name: z.string().min(1),
  wecomUserId: z.string().optional(),
  openId: z.string().optional(),
  externalUserId: z.string().optional(),
  unionId: z.string().optional(),
  follows: z.boolean().optional(),
  note: z.string().optional(),
})

const group = z.strictObject({
  kind: z.enum(['wechat', 'customer', 'internal']),
  name: z.string().min(1),
  owner: z.string(),
  members: z.array(z.string()).default([]),
  chatId: z.string().optional(),
  robot: z.boolean().default(false),
})

/** What `--world FILE` holds. Owners and members are named by the persons' keys. */
export const worldFile = z.strictObject({
  wecom: wecomApp.optional(),
  officialAccount: officialAccount.optional(),
  persons: z.array(person).default([]),
  groups: z.array(group).default([]),
})

export type WorldFile = z.output<typeof worldFile>

/** The accounts as the server's own settings name them, so that one environment serves both. */
export function accountsFromEnvironment(environment: Record<string, string | undefined>): unknown {
  const pick = (names: Record<string, string>) => {
    const found: Record<string, string> = {}
    for (const [key, name] of Object.entries(names)) if (environment[name]) found[key] = environment[name]
    return found
  }
  const wecom = pick({
    corpId: 'WECOM_CORP_ID',
    agentId: 'WECOM_AGENT_ID',
    secret: 'WECOM_SECRET',
    token: 'WECOM_TOKEN',
    aesKey: 'WECOM_AES_KEY',
    callbackUrl: 'WECOM_CALLBACK_URL',
  })
  const account = pick({
    appId: 'OFFICIAL_ACCOUNT_APP_ID',
    originalId: 'OFFICIAL_ACCOUNT_ORIGINAL_ID',
    secret: 'OFFICIAL_ACCOUNT_SECRET',
    token: 'OFFICIAL_ACCOUNT_TOKEN',
    aesKey: 'OFFICIAL_ACCOUNT_AES_KEY',
    mode: 'OFFICIAL_ACCOUNT_MODE',
    kind: 'OFFICIAL_ACCOUNT_KIND',
    callbackUrl: 'OFFICIAL_ACCOUNT_CALLBACK_URL',
  })
  const template = environment.OFFICIAL_ACCOUNT_NOTICE_TEMPLATE
  return {
    ...(wecom.corpId === undefined ? {} : { wecom }),
    ...(account.appId === undefined
      ? {}
      : {
          officialAccount: {
            ...account,
            ...(template ? { templates: { [template]: ['thing1', 'time2', 'thing3'] } } : {}),
          },
        }),
  }
}

/** Fills a fresh simulator. @returns the webhooks of the groups that got a robot, by the group's name. */
export function fillWorld(sim: Simulator, world: WorldFile): Record<string, string> {
  if (world.wecom) sim.addWecomApp(withoutUndefined(world.wecom))
  if (world.officialAccount) sim.addOfficialAccount(withoutUndefined(world.officialAccount))
  const ids = new Map<string, string>()
  for (const { key, ...input } of world.persons) ids.set(key, sim.addPerson(withoutUndefined(input)).id)
  const idOf = (key: string) => {
    const id = ids.get(key)
    if (id === undefined) throw new Error(`名单里没有 ${key}`)
    return id
  }
  const robots: Record<string, string> = {}
  for (const { kind, name, owner, members, chatId, robot } of world.groups) {
    const made = sim.createGroup({
      kind,
      name,
      ownerId: idOf(owner),
      memberIds: members.map(idOf),
      ...(chatId === undefined ? {} : { chatId }),
    })
    if (robot) robots[name] = sim.addRobot(made.id)
  }
  return robots
}

type Present<Type> = { [Key in keyof Type]: Exclude<Type[Key], undefined> }

function withoutUndefined<Type extends object>(value: Type): Present<Type> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Present<Type>
}
