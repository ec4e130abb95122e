import { checkBytes, checkCharacters, checkCount, checkForm, checkUnique, refuse } from './checks.ts'

// Template cards (模板卡片). The page also recommends numbers of characters; beyond those the client shows an ellipsis and
// the whole text on tapping, so they are no limits here.
// @see https://developer.work.weixin.qq.com/document/path/90236

/** Where a tap leads. */
export type CardTarget = { url: string } | { appId: string; page?: string }

interface CardHead {
  /** Who sends it, in the upper left corner. */
  source?: { text: string; iconUrl?: string; colour?: 'grey' | 'black' | 'red' | 'green' }
  /** The menu in the upper right corner; its taps are events of their own. Needs a `taskId`. */
  menu?: { description?: string; actions: { text: string; key: string }[] }
  /** `[0-9A-Za-z_\-@]`, at most 128 bytes, never used twice by the same app. */
  taskId?: string
  quote?: { text: string; title?: string; target?: CardTarget }
  /** Pairs of a name and a value; a value may lead to a page or to a member. */
  rows?: { name: string; value: string; url?: string; userId?: string }[]
  /** Where a tap on the whole card leads; the two notices need it. */
  target?: CardTarget
}

interface NoticeParts {
  jumps?: { text: string; target?: CardTarget }[]
}

export interface TextNoticeCard extends CardHead, NoticeParts {
  kind: 'text_notice'
  title?: string
  description?: string
  /** A number or a word in large letters. */
  emphasis?: { text: string; description?: string }
  /** Either this or `title` must be there. */
  subtitle?: string
  target: CardTarget
}

export interface NewsNoticeCard extends CardHead, NoticeParts {
  kind: 'news_notice'
  title: string
  description?: string
  imageUrl: string
  /** Width by height, above 1.3 and below 2.25. */
  imageRatio?: number
  paragraphs?: { title: string; text?: string }[]
  target: CardTarget
}

export interface CardOption {
  /** At most 128 bytes, unique in its list. */
  id: string
  text: string
}

export interface CardList {
  questionKey: string
  title?: string
  options: CardOption[]
  /** The option chosen at first. */
  selectedId?: string
}

export type CardButton = { text: string; style?: 1 | 2 | 3 | 4 } & ({ key: string } | { url: string })

export interface ButtonCard extends CardHead {
  kind: 'button_interaction'
  taskId: string
  title: string
  description?: string
  subtitle?: string
  selection?: CardList
  buttons: CardButton[]
}

export interface VoteCard extends CardHead {
  kind: 'vote_interaction'
  taskId: string
  title: string
  description?: string
  questionKey: string
  isMultiple: boolean
  options: (CardOption & { isChecked?: boolean })[]
  submit: { text: string; key: string }
}

export interface MultipleCard extends CardHead {
  kind: 'multiple_interaction'
  taskId: string
  title: string
  description?: string
  lists: CardList[]
  submit: { text: string; key: string }
}

export type NoticeCard = TextNoticeCard | NewsNoticeCard
export type TemplateCard = NoticeCard | ButtonCard | VoteCard | MultipleCard

const TASK_ID = /^[0-9A-Za-z_\-@]+$/
const MAX_ID_BYTES = 128
const MAX_KEY_BYTES = 1024
const COLOURS = { grey: 0, black: 1, red: 2, green: 3 }

/**
 * The `template_card` of a request.
 * @throws ChannelError `rejected` with the field that is missing, too long or used twice
 */
export function cardBody(card: TemplateCard): Record<string, unknown> {
  return { card_type: card.kind, ...headBody(card), ...ownBody(card) }
}

function ownBody(card: TemplateCard): Record<string, unknown> {
  switch (card.kind) {
    case 'text_notice':
      if (!card.title && !card.subtitle) refuse('卡片要有标题或副标题')
      return {
        main_title: { title: card.title, desc: card.description },
        emphasis_content: card.emphasis && { title: card.emphasis.text, desc: card.emphasis.description },
        sub_title_text: card.subtitle,
        jump_list: jumpsBody(card),
      }
    case 'news_notice':
      checkCharacters('卡片标题', card.title, 512)
      checkCount('卡片段落', card.paragraphs ?? [], 0, 4)
      for (const paragraph of card.paragraphs ?? []) checkBytes('段落标题', paragraph.title, 1024)
      if (card.imageRatio !== undefined && !(card.imageRatio > 1.3 && card.imageRatio < 2.25))
        refuse('图片宽高比要在 1.3 和 2.25 之间')
      checkBytes('图片地址', card.imageUrl, 2048)
      return {
        main_title: { title: card.title, desc: card.description },
        card_image: { url: card.imageUrl, aspect_ratio: card.imageRatio },
        vertical_content_list: card.paragraphs?.map(({ title, text }) => ({ title, desc: text })),
        jump_list: jumpsBody(card),
      }
    case 'button_interaction':
      return {
        main_title: titleBody(card),
        sub_title_text: card.subtitle,
        button_selection: card.selection && listBody(card.selection),
        button_list: buttonsBody(card.buttons),
      }
    case 'vote_interaction':
      return {
        main_title: titleBody(card),
        checkbox: {
          question_key: questionKey(card.questionKey),
          mode: card.isMultiple ? 1 : 0,
          option_list: optionsBody(card.options, 20).map((option, index) => ({
            ...option,
            is_checked: card.options[index]?.isChecked ?? false,
          })),
        },
        submit_button: submitBody(card.submit),
      }
    case 'multiple_interaction':
      checkCount('卡片选择项', card.lists, 1, 3)
      checkUnique(
        '选择项的 key',
        card.lists.map(each => each.questionKey),
      )
      return {
        main_title: titleBody(card),
        select_list: card.lists.map(listBody),
        submit_button: submitBody(card.submit),
      }
  }
}

function headBody(card: TemplateCard): Record<string, unknown> {
  const needsTask = card.menu !== undefined || card.kind.endsWith('_interaction')
  if (card.taskId !== undefined || needsTask) {
    checkBytes('任务号', card.taskId ?? '', MAX_ID_BYTES)
    checkForm('任务号', card.taskId ?? '', TASK_ID)
  }
  checkCount('卡片行', card.rows ?? [], 0, 6)
  for (const row of card.rows ?? []) checkBytes('行的名称', row.name, 1024)
  const { source, menu, quote } = card
  if (menu) {
    checkCount('卡片菜单', menu.actions, 1, 3)
    for (const action of menu.actions) {
      checkBytes('菜单项', action.text, 1024)
      checkBytes('菜单项的 key', action.key, MAX_KEY_BYTES)
    }
    checkUnique(
      '菜单项的 key',
      menu.actions.map(action => action.key),
    )
  }
  return {
    task_id: card.taskId,
    source: source && {
      desc: source.text,
      icon_url: source.iconUrl,
      desc_color: COLOURS[source.colour ?? 'grey'],
    },
    action_menu: menu && { desc: menu.description, action_list: menu.actions },
    quote_area: quote && { title: quote.title, quote_text: quote.text, ...targetBody(quote.target) },
    horizontal_content_list: card.rows?.map(row => ({
      keyname: row.name,
      value: row.value,
      ...(row.url === undefined ? {} : { type: 1, url: row.url }),
      ...(row.userId === undefined ? {} : { type: 3, userid: row.userId }),
    })),
    card_action: card.target && targetBody(card.target),
  }
}

function titleBody(card: { title: string; description?: string }) {
  checkBytes('卡片标题', card.title, 1024)
  return { title: card.title, desc: card.description }
}

/** `type` 1 is a page, 2 a mini-program, 0 nothing. */
function targetBody(target: CardTarget | undefined): Record<string, unknown> {
  if (!target) return { type: 0 }
  if ('url' in target) {
    checkBytes('跳转地址', target.url, 2048)
    return { type: 1, url: target.url }
  }
  checkBytes('小程序 appid', target.appId, MAX_ID_BYTES)
  return { type: 2, appid: target.appId, pagepath: target.page }
}

function jumpsBody({ jumps }: NoticeParts) {
  checkCount('卡片跳转', jumps ?? [], 0, 3)
  return jumps?.map(jump => {
    checkBytes('跳转文字', jump.text, 1024)
    return { title: jump.text, ...targetBody(jump.target) }
  })
}

function buttonsBody(buttons: CardButton[]) {
  checkCount('卡片按钮', buttons, 1, 6)
  checkUnique(
    '按钮的 key',
    buttons.flatMap(button => ('key' in button ? [button.key] : [])),
  )
  return buttons.map(button => {
    checkBytes('按钮文字', button.text, 1024)
    const shown = { text: button.text, style: button.style ?? 1 }
    if ('url' in button) {
      checkBytes('按钮地址', button.url, 2048)
      return { ...shown, type: 1, url: button.url }
    }
    checkBytes('按钮的 key', button.key, MAX_KEY_BYTES)
    return { ...shown, type: 0, key: button.key }
  })
}

function submitBody(submit: { text: string; key: string }) {
  checkBytes('提交按钮', submit.text, 1024)
  checkBytes('提交按钮的 key', submit.key, MAX_KEY_BYTES)
  return submit
}

function questionKey(key: string): string {
  checkBytes('选择项的 key', key, MAX_KEY_BYTES)
  return key
}

function listBody(choice: CardList) {
  const options = optionsBody(choice.options, 10)
  if (choice.selectedId !== undefined && !options.some(option => option.id === choice.selectedId))
    refuse('默认选项不在选项里')
  return {
    question_key: questionKey(choice.questionKey),
    title: choice.title,
    selected_id: choice.selectedId,
    option_list: options,
  }
}

function optionsBody(options: CardOption[], most: number): CardOption[] {
  checkCount('选项', options, 1, most)
  checkUnique(
    '选项的 id',
    options.map(option => option.id),
  )
  return options.map(({ id, text }) => {
    checkBytes('选项的 id', id, MAX_ID_BYTES)
    checkBytes('选项', text, 1024)
    return { id, text }
  })
}
