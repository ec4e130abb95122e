import { managingRoles } from '../server/domain/actor.ts'
import type { Audience } from './command.ts'
import type { Heard } from './context.ts'

/** Whether the actor belongs to those a command is for; 帮助 shows the same ones. */
export function isFor(heard: Heard, audience: Audience): boolean {
  if (audience === 'anyone') return true
  if (!heard.actor.person) return false
  if (audience === 'known') return true
  const manages = managingRoles(heard.templates, heard.actor).length > 0
  return manages || (audience === 'owner' && heard.actor.ownsGroups)
}
