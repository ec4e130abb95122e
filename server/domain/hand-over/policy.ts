import policy from '../../../templates/policies/hand-over.json' with { type: 'json' }

/** Once for each group that was moved or could not be, once for the manager's duty that could not be, or for an office. */
type Per = 'group' | 'group-left' | 'manager-left' | 'office'

/** What people must do by hand at a hand-over, and by when (`templates/policies/hand-over.json`). */
export const handOverRules = policy

const byHand: readonly { id: string; per: string; platforms?: readonly string[]; words: string }[] =
  policy.byHand

/** The ids of what is to be done by hand for something. @param platform of the group */
export function stepsFor(per: Per, platform?: string): string[] {
  return byHand
    .filter(step => step.per === per && (!step.platforms || step.platforms.some(each => each === platform)))
    .map(step => step.id)
}

const movedWords: Record<string, string> = {
  groups: '群的群主登记',
  tasks: '群里待办的事',
  requests: '等审核的入群申请',
  relays: '等转发的通知',
  manager: '专人',
  contacts: '1+100 联系的团支部',
}

/** An item of a checklist in words. */
export function itemWords(kind: string): string {
  return byHand.find(step => step.id === kind)?.words ?? movedWords[kind] ?? kind
}
