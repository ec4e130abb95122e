import { type Approver, approversOf, type NoticeDraft } from '../../../db/queries/notice-drafts.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { type ActionCard, settleCards } from '../outgoing/card.ts'
import { sendCard } from '../outgoing/enqueue.ts'
import { type Importance, importanceRule, type NoticeRules, noticeRules } from './rules.ts'
import { afterQuiet } from './timing.ts'

/** Persons who are asked about one draft at most: it takes one of them. */
const MAX_ASKED = 10
/** Characters of the text that an approver reads in the message; the whole is behind the link. */
const SHOWN = 400

/** Whether a second person has to look at a notice before it goes (第二人审核). */
export function needsApproval(
  { approval }: Pick<NoticeRules, 'approval'>,
  notice: { level: string; groups: number },
): boolean {
  return approval.levels.includes(notice.level) || notice.groups >= approval.groups
}

/** Why it does, in words for the writer. */
export function approvalReason(notice: { level: string; groups: number }): string {
  const { levels, groups } = noticeRules.approval
  return levels.includes(notice.level)
    ? '省级以上单位发的通知要有第二人审核'
    : `发到 ${groups} 个群以上的通知要有第二人审核`
}

/** Whether somebody may let this draft pass or send it back: who runs its unit or one above, and did not write it. */
export function mayApprove(
  rt: DomainRuntime,
  actor: KnownActor,
  draft: Pick<NoticeDraft, 'authorId' | 'unitPath'>,
): boolean {
  return draft.authorId !== actor.person.id && managesUnit(rt.templates, actor, draft.unitPath)
}

/**
 * Who is asked to look at a draft: those of its unit, or of the nearest unit above, who can be written to.
 * @throws DomainError `notice.no_approver`, which says whom to enter or to bind
 */
export async function approversToAsk(
  rt: DomainRuntime,
  draft: Pick<NoticeDraft, 'authorId' | 'unitId' | 'unitName' | 'unitPath' | 'programme'>,
): Promise<Approver[]> {
  const all = await approversOf(rt.db, draft.unitPath, managingPairs(rt.templates), draft.authorId)
  const nearest = all.find(each => each.isReachable)
  if (nearest)
    return all.filter(each => each.isReachable && each.unitId === nearest.unitId).slice(0, MAX_ASKED)
  const [unbound] = all
  if (unbound)
    throw new DomainError(
      'notice.no_approver',
      `要有第二人审核：${unbound.unitName}的${unbound.name}可以审核，但还没有绑定账号。请其上一级组织（最高一级由系统管理员）发绑定码，绑定后再提交。`,
    )
  const roles = rt.templates
    .programme(draft.programme)
    .roles.filter(role => role.manages)
    .slice(0, 3)
    .map(role => role.name)
  throw new DomainError(
    'notice.no_approver',
    `要有第二人审核，而${draft.unitName}和上级在名册上都没有别的负责同志，所以还不能发。请先在名册里登记一位${draft.unitName}的同志（${roles.join('、')}），绑定账号后再提交。`,
  )
}

/** Asks approvers to look at a draft: an urgent one at once, also at night. */
export async function askApprovers(
  rt: DomainRuntime,
  draft: NoticeDraft,
  approvers: readonly Approver[],
  reach: { groups: number },
): Promise<void> {
  const now = rt.clock.now()
  const rule = importanceRule(draft.content.importance as Importance)
  const notBefore = rule.keepsQuiet ? afterQuiet(noticeRules.quiet, now) : now
  const { card, text } = approvalRequest(rt, draft, reach)
  // what is urgent passes by what waits for the morning
  const purpose = rule.keepsQuiet ? 'review' : 'escalation'
  for (const { personId } of approvers) await sendCard(rt, personId, purpose, card, text, notBefore)
}

function approvalRequest(
  rt: DomainRuntime,
  draft: NoticeDraft,
  reach: { groups: number },
): { card: ActionCard; text: string } {
  const { id, content, unitName, authorName, sendAt } = draft
  const url = draftUrl(rt, id)
  const { name, words } = importanceRule(content.importance as Importance)
  const when = sendAt ? `${chineseMoment(sendAt)}发出` : '同意后马上发出'
  const title = `【请审核通知 ${id}】${unitName}`
  const characters = [...content.body]
  const shown = characters.length > SHOWN ? `${characters.slice(0, SHOWN).join('')}……` : content.body
  return {
    text: [
      `${title}：${authorName}写的，${name}（${words}），发到 ${reach.groups} 个群，${when}。正文：`,
      shown,
      '——',
      `同意请回复：批 ${id}　不同意请回复：退 ${id} 理由`,
      `全文、附件和发到哪里：${url}`,
    ].join('\n'),
    card: {
      about: { kind: 'notice_draft', id },
      title,
      description: shown,
      rows: [
        { name: '谁写的', value: `${unitName} ${authorName}` },
        { name: '发到', value: `${reach.groups} 个群` },
        { name: '紧要程度', value: `${name}（${words}）` },
        { name: '什么时候', value: when },
      ],
      buttons: [
        { text: '同意', isMain: true, command: `批 ${id}` },
        { text: '退回', command: `退 ${id}` },
        { text: '看全文', url },
      ],
    },
  }
}

/** The page of a draft. */
export function draftUrl({ publicUrl }: DomainRuntime, draftId: number): string {
  return `${publicUrl}/console/notices/drafts/${draftId}`
}

/** The cards about a draft that is not waiting any more say so. */
export function settleApprovals(rt: DomainRuntime, draftId: number, words: string): Promise<void> {
  return settleCards(rt, { kind: 'notice_draft', id: draftId }, words)
}
