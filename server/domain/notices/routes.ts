import type { GroupWithUnit } from '../../../db/queries/groups.ts'

/** How a notice gets into a group. */
export type Route = 'robot' | 'appchat' | 'mass' | 'relay'

/** The word for each route, for people. */
export const routeNames: Record<Route, string> = {
  robot: '群机器人',
  appchat: '应用群',
  mass: '群发待群主确认',
  relay: '群主转发',
}

/**
 * The way that fits a group. An ordinary group has no interface, and a customer group whose owner has no WeCom account
 * bound cannot be sent a mass task: there the owner relays by hand.
 */
export function routeOf(
  group: Pick<GroupWithUnit, 'platform' | 'webhookSealed' | 'chatId'>,
  ownerHasWecomAccount: boolean,
): Route {
  if (group.platform === 'internal' && group.webhookSealed) return 'robot'
  if (group.platform === 'appchat' && group.chatId) return 'appchat'
  if (group.platform === 'customer' && group.chatId && ownerHasWecomAccount) return 'mass'
  return 'relay'
}
