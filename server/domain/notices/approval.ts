import { createHash } from 'node:crypto'
import {
  type Approver,
  approversOf,
  cancelCalls,
  type NoticeDraft,
} from '../../../db/queries/notice-drafts.ts'
import { filesOfDraft, type NoticeFile } from '../../../db/queries/notice-files.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Templates } from '../../templates.ts'
import { type KnownActor, managesUnit, managingRoles } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { type ActionCard, settleCards } from '../outgoing/card.ts'
import { type Importance, importanceRule, type NoticeRules, noticeRules } from './rules.ts'

/** Persons who are asked about one draft at most: it takes one of them. */
export const MAX_ASKED = 10
/** Characters that a card has room for; who gets more than that is shown the whole before they can agree. */
const SHOWN = 400
/** Letters of a revision that are typed: few enough to type, too many to hit by chance. */
const CODE = 3
/** No letter that looks like another or like a digit. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz'

/** Whether a second person has to look at a notice before it goes (第二人审核). */
export function needsApproval(
  { approval }: Pick<NoticeRules, 'approval'>,
  notice: { level: string; groups: number },
): boolean {
  return approval.levels.includes(notice.level) || notice.groups >= approval.groups
}

/**
 * The level by which a notice is judged: that of the highest office by which its author runs the unit. Who may speak for a
 * province does not leave the second person behind by writing in the name of its cities.
 */
export function levelOfAuthor(
  templates: Templates,
  author: Pick<KnownActor, 'roles'>,
  unit: { path: string; level: string },
): string {
  const [highest] = managingRoles(templates, author)
    .filter(role => unit.path.startsWith(role.unitPath))
    .sort((a, b) => a.unitPath.length - b.unitPath.length)
  return highest?.level ?? unit.level
}

/**
 * Why it does, in words for the writer.
 * @param own groups of this notice alone, where it is judged together with others
 */
export function approvalReason(
  notice: { level: string; groups: number },
  own: number = notice.groups,
): string {
  const { levels, groups } = noticeRules.approval
  if (levels.includes(notice.level)) return '省级以上单位发的通知要有第二人审核'
  return own < groups
    ? `和您一小时内内容相近的通知合起来发到 ${notice.groups} 个群，${groups} 个群以上要有第二人审核`
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

/** What somebody is asked who is to look at a draft. */
export async function requestFor(
  rt: DomainRuntime,
  draft: NoticeDraft,
  reach: { groups: number },
): Promise<{ card: ActionCard; text: string }> {
  return approvalRequest(rt, draft, await filesOfDraft(rt.db, draft.id), reach)
}

/**
 * What a draft is at this moment, content, time and files, in letters: who agrees says to which. Any change makes it another.
 */
export function revisionOf(draft: NoticeDraft, files: readonly NoticeFile[]): string {
  const { id, unitId, authorId, content, sendAt, updatedAt } = draft
  const whole = [id, unitId, authorId, content, sendAt, updatedAt, files.map(each => [each.name, each.hash])]
  const hash = createHash('sha256').update(JSON.stringify(whole)).digest()
  return [...hash].map(byte => LETTERS[byte % LETTERS.length]).join('')
}

/** Whether what somebody has typed, or a form holds, names this revision. */
export function isRevision(revision: string, seen: string): boolean {
  return seen.length >= CODE && revision.startsWith(seen.toLowerCase())
}

/** What an approver reads before they agree: all words of a notice and the names of its files. */
function wholeWords({ content }: NoticeDraft, files: readonly NoticeFile[]): string {
  const { body, link, ask } = content
  return [
    body,
    ...(link === null ? [] : [`链接：${link}`]),
    ...(ask === null
      ? []
      : [`要各单位回答：${ask.question}${ask.choices ? `（${ask.choices.join('、')}）` : ''}`]),
    ...(files.length === 0 ? [] : [`附件：${files.map(file => file.name).join('、')}`]),
  ].join('\n')
}

/** The whole of a draft with the command that lets exactly this pass. */
export async function toApproveWords(rt: DomainRuntime, draft: NoticeDraft): Promise<string> {
  const files = await filesOfDraft(rt.db, draft.id)
  return [wholeWords(draft, files), '——', ...commandLines(rt, draft, revisionOf(draft, files))].join('\n')
}

const passCommand = (id: number, revision: string) => `批 ${id} ${revision.slice(0, CODE)}`

function commandLines(rt: DomainRuntime, { id }: NoticeDraft, revision: string): string[] {
  return [
    `看过以上内容，同意请回复：${passCommand(id, revision)}　不同意请回复：退 ${id} 理由`,
    `附件和发到哪里：${draftUrl(rt, id)}`,
  ]
}

function approvalRequest(
  rt: DomainRuntime,
  draft: NoticeDraft,
  files: readonly NoticeFile[],
  reach: { groups: number },
): { card: ActionCard; text: string } {
  const { id, content, unitName, authorName, sendAt } = draft
  const url = draftUrl(rt, id)
  const revision = revisionOf(draft, files)
  const { name, words } = importanceRule(content.importance as Importance)
  const when = sendAt ? `${chineseMoment(sendAt)}发出` : '同意后马上发出'
  const title = `【请审核通知 ${id}】${unitName}`
  const whole = wholeWords(draft, files)
  const characters = [...whole]
  const isCut = characters.length > SHOWN
  return {
    text: [
      `${title}：${authorName}写的，${name}（${words}），发到 ${reach.groups} 个群，${when}。正文：`,
      whole,
      '——',
      ...commandLines(rt, draft, revision),
    ].join('\n'),
    card: {
      about: { kind: 'notice_draft', id },
      title,
      description: isCut ? `${characters.slice(0, SHOWN).join('')}……` : whole,
      rows: [
        { name: '谁写的', value: `${unitName} ${authorName}` },
        { name: '发到', value: `${reach.groups} 个群` },
        { name: '紧要程度', value: `${name}（${words}）` },
        { name: '什么时候', value: when },
      ],
      buttons: [
        // without its code the command is answered with the whole
        isCut
          ? { text: '看完再同意', isMain: true, command: `批 ${id}` }
          : { text: '同意', isMain: true, command: passCommand(id, revision) },
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

/** The cards about a draft that is not waiting any more say so; those that have not gone out stay. */
export async function settleApprovals(rt: DomainRuntime, draftId: number, words: string): Promise<void> {
  await cancelCalls(rt.db, draftId, words)
  await settleCards(rt, { kind: 'notice_draft', id: draftId }, words)
}
