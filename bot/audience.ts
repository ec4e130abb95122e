import { managingRoles } from '../server/domain/actor.ts'
import type { Audience } from './command.ts'
import type { Context } from './context.ts'

/** Whether the actor belongs to those a command is for; 帮助 shows the same ones. */
export function isFor(ctx: Context, audience: Audience): boolean {
  if (audience === 'anyone') return true
  if (!ctx.actor.person) return false
  if (audience === 'known') return true
  const manages = managingRoles(ctx.rt.templates, ctx.actor).length > 0
  return manages || (audience === 'owner' && ctx.actor.ownsGroups)
}
