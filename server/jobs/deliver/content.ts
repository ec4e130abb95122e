import { noticeFileBytes } from '../../../db/queries/notice-files.ts'
import { resultPageById } from '../../../db/queries/outgoing.ts'
import type { CarriedFile } from '../../../db/queries/relay-requests.ts'
import type { SendResult } from '../../channels/channel.ts'
import { ChannelError } from '../../channels/errors.ts'
import { plainText, shortenText, splitText, textBytes } from '../../channels/text.ts'
import { chaseText } from '../../domain/notices/chase-words.ts'
import { type Carried, carriedBy } from '../../domain/notices/relay-request.ts'
import type { Attachment } from '../../domain/outgoing/attach-file.ts'
import { makePage } from '../../domain/pages/make-page.ts'
import type { Runtime } from '../../runtime.ts'
import { type Message, TakenBack } from './message.ts'

/** A file that goes behind the texts: as itself where the platform can, as a link elsewhere. */
export interface OutgoingFile {
  kind: 'picture' | 'file'
  name: string
  /** Where it can be had. */
  link: string
  /** Names the same bytes in every message that carries them; null: they go out once. */
  key: string | null
  /** @throws ChannelError when it is not kept any more */
  read(): Promise<Buffer>
}

/** What a message says. */
export interface Content {
  texts: string[]
  files: OutgoingFile[]
  /** Behind the files. */
  closing?: string[]
  /** For a mass task, which has links as such. */
  link?: string | null
  /** The notice that it carries. */
  carried?: Carried | null
}

/** One call: a part of a text, or a file. */
export type Step = () => Promise<SendResult>

/** WeCom takes files of this size. @see https://developer.work.weixin.qq.com/document/path/90253 */
const MIN_FILE_BYTES = 6
const MAX_FILE_BYTES = 20 * 1024 * 1024

export async function contentOf(rt: Runtime, message: Message): Promise<Content> {
  const { textsSealed, filesSealed } = message
  const carried = textsSealed === '' ? await carriedBy(rt, message) : null
  if (carried)
    return {
      texts: [plainText(carried.text)],
      files: carried.files.map(file => noticeFile(rt, carried.noticeId, file)),
      closing: carried.request === null ? [] : [plainText(carried.request)],
      link: message.kind === 'mass' ? carried.link : null,
      carried,
    }
  if (message.chases !== null) {
    const words = await chaseText(rt, message)
    if (words === null) throw new TakenBack('settled')
    return { texts: [plainText(words)], files: [] }
  }
  const texts = JSON.parse(rt.vault.open(textsSealed)) as string[]
  const files = filesSealed === null ? [] : (JSON.parse(rt.vault.open(filesSealed)) as Attachment[])
  return { texts: texts.map(plainText), files: files.map(file => keptFile(rt, file)) }
}

/** A file that is kept as a page of its own. */
function keptFile(rt: Runtime, { pageId, name, link }: Attachment): OutgoingFile {
  return {
    kind: /\.(?:png|jpe?g)$/i.test(name) ? 'picture' : 'file',
    name,
    link,
    key: null,
    async read() {
      const page = await resultPageById(rt.db, pageId, rt.clock.now())
      if (!page) throw new ChannelError('rejected', '附件已过期')
      return Buffer.from(rt.vault.open(page.textSealed), 'base64')
    },
  }
}

function noticeFile(rt: Runtime, noticeId: number, { id, kind, name, hash }: CarriedFile): OutgoingFile {
  return {
    kind,
    name,
    link: `${rt.publicUrl}/n/${noticeId}`,
    key: `${kind} ${hash} ${name}`,
    async read() {
      const sealed = await noticeFileBytes(rt.db, id)
      if (sealed === null) throw new ChannelError('rejected', '附件已删除')
      return Buffer.from(rt.vault.open(sealed), 'base64')
    },
  }
}

/** The texts in parts that fit one message each. */
export function partsOf({ texts }: Pick<Content, 'texts'>, maxBytes: number): string[] {
  return texts.flatMap(text => splitText(text, maxBytes))
}

/** How a file is offered where it cannot be sent as one. */
export function linkTo({ name, link }: Pick<OutgoingFile, 'name' | 'link'>): string {
  return `附件“${plainText(name)}”：${link}`
}

/**
 * A text that cannot go in parts: when it does not fit, its beginning with 「…」 and a link to the whole.
 * @param personId whose page the whole becomes
 */
export async function textWithin(
  rt: Runtime,
  personId: number | null,
  text: string,
  maxBytes: number,
): Promise<string> {
  if (textBytes(text) <= maxBytes) return text
  const tail = `\n全文：${await makePage(rt, { personId }, '全文', text)}`
  return shortenText(text, maxBytes - textBytes(tail)) + tail
}

/** The bytes of a file; null when it has a size that WeCom does not take. @throws ChannelError when it is not kept any more */
export async function readFile(file: OutgoingFile): Promise<Buffer | null> {
  const bytes = await file.read()
  return bytes.length >= MIN_FILE_BYTES && bytes.length <= MAX_FILE_BYTES ? bytes : null
}
