import { z } from 'zod'

const share = (fallback: number) => z.number().min(0).max(1).default(fallback)

/** Platforms that fail for the first two hours. */
export const outages = ['none', 'wecom', 'official-account', 'both'] as const
export type Outage = (typeof outages)[number]

/** Groups that one rehearsal takes; of a larger matrix it takes a part by chance. */
export const MOST_GROUPS = 3000

/**
 * How a rehearsal (演练) goes. The shares are how people behave who are asked; the defaults are those of the acceptance of
 * notices: of owners 60 % act within two hours, 30 % before the deadline, 10 % never; of second contacts 70 % act, of
 * units 80 %.
 */
export const rehearsalSettings = z.object({
  seed: z.number().int().min(0).max(2_147_483_647).default(1),
  importance: z.enum(['normal', 'same-day', 'urgent']).default('same-day'),
  mode: z.enum(['at-once', 'by-level']).default('at-once'),
  /** When it is sent, `HH:MM` in China. */
  at: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
    .default('09:00'),
  text: z
    .string()
    .max(600)
    .default('【演练】请各单位组织本级团员、队员收看明天上午十点的公开课，并请转到本群。'),
  ownersSoon: share(0.6),
  ownersLate: share(0.3),
  contacts: share(0.7),
  units: share(0.8),
  outage: z.enum(outages).default('none'),
  /** Of the groups with a robot. */
  robotsRemoved: share(0),
  /** Owners who have lost the account that they have. */
  ownersWithoutAccount: share(0),
  groups: z.number().int().min(1).max(20_000).default(MOST_GROUPS),
})
export type RehearsalSettings = z.output<typeof rehearsalSettings>

/** What of the real service's accounts decides how people can be reached. */
export interface PlayedPlatforms {
  wecom: { isVerified: boolean; accountCap: number } | null
  official: { kind: 'service' | 'subscription'; isVerified: boolean; hasTemplate: boolean } | null
}

/** @param config of the real service */
export function playedPlatforms({
  wecom,
  officialAccount: official,
}: {
  wecom: { isVerified: boolean; accountCap: number } | null
  officialAccount: {
    kind: 'service' | 'subscription'
    isVerified: boolean
    noticeTemplate: string | null
  } | null
}): PlayedPlatforms {
  return {
    wecom: wecom && { isVerified: wecom.isVerified, accountCap: wecom.accountCap },
    official: official && {
      kind: official.kind,
      isVerified: official.isVerified,
      hasTemplate: official.noticeTemplate !== null,
    },
  }
}
