import type { Route } from '../../../db/queries/cascade.ts'

/** The word for each way into a group, for people. */
export const routeNames: Record<Route, string> = {
  robot: '群机器人',
  appchat: '应用群',
  mass: '群发待群主确认',
  relay: '群主转发',
}
