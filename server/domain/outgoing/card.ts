import { closeSentCards, noteTapped } from '../../../db/queries/cards.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { askCardChange } from './enqueue.ts'

/** What a card is about: when it is settled, all cards about it show how. */
export interface CardSubject {
  kind:
    | 'join_request'
    | 'task'
    | 'notice_draft'
    | 'danger_call'
    | 'activity'
    | 'record'
    | 'post_ask'
    | 'group_month'
    | 'unit_month'
    // several of one parent, by the parent's number: settled when all of them are
    | 'unit_months'
    | 'ready_post'
  id: number
}

/** A card with buttons (模板卡片, button_interaction) for a member of the corp; whoever else gets the text beside it. */
export interface ActionCard {
  about: CardSubject
  title: string
  description: string
  /** At most six. */
  rows: { name: string; value: string }[]
  /** Something to choose before a button is tapped, at most ten; `id` comes back with the tap. */
  choice?: { key: string; title: string; options: { id: string; text: string }[] }
  /** A tap says the command as if it had been typed, or opens a page. */
  buttons: ({ text: string; isMain?: boolean } & ({ command: string } | { url: string }))[]
}

/**
 * A matter is settled, by whatever way: the buttons on its cards become one grey word that says how. A card that is just
 * on its way stays; its taps are answered with what was decided.
 */
export async function settleCards(rt: DomainRuntime, about: CardSubject, words: string): Promise<void> {
  for (const card of await closeSentCards(rt.db, about.kind, about.id, rt.clock.now()))
    if (card.responseCode !== null)
      await askCardChange(rt, { address: card.address, responseCode: card.responseCode, words })
}

/** A card was tapped: the tap brings a new way to change it, which works longer than the one of its sending. */
export async function noteTap(
  rt: DomainRuntime,
  { taskId, responseCode }: { taskId: string | null; responseCode: string | null },
): Promise<void> {
  if (taskId !== null && responseCode !== null) await noteTapped(rt.db, taskId, responseCode)
}
