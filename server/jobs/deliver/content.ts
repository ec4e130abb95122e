import { resultPageById } from '../../../db/queries/outgoing.ts'
import type { SendResult } from '../../channels/channel.ts'
import { ChannelError } from '../../channels/errors.ts'
import { plainText, shortenText, splitText, textBytes } from '../../channels/text.ts'
import { textsOfCarried } from '../../domain/notices/relay-request.ts'
import type { Attachment } from '../../domain/outgoing/attach-file.ts'
import { makePage } from '../../domain/pages/make-page.ts'
import type { Runtime } from '../../runtime.ts'
import type { Message } from './message.ts'

/** What a message says. */
export interface Content {
  texts: string[]
  files: Attachment[]
}

/** One call: a part of a text, or a file. */
export type Step = () => Promise<SendResult>

/** WeCom takes files of this size. @see https://developer.work.weixin.qq.com/document/path/90253 */
const MIN_FILE_BYTES = 6
const MAX_FILE_BYTES = 20 * 1024 * 1024

export async function contentOf(rt: Runtime, message: Message): Promise<Content> {
  const { textsSealed, filesSealed } = message
  const texts =
    (textsSealed === '' ? await textsOfCarried(rt, message) : null) ??
    (JSON.parse(rt.vault.open(textsSealed)) as string[])
  const files = filesSealed === null ? [] : (JSON.parse(rt.vault.open(filesSealed)) as Attachment[])
  return { texts: texts.map(plainText), files }
}

/** The texts in parts that fit one message each. */
export function partsOf({ texts }: Content, maxBytes: number): string[] {
  return texts.flatMap(text => splitText(text, maxBytes))
}

/** How a file is offered where it cannot be sent as one. */
export function linkTo({ name, link }: Attachment): string {
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
export async function readFile(rt: Runtime, { pageId }: Attachment): Promise<Buffer | null> {
  const page = await resultPageById(rt.db, pageId, rt.clock.now())
  if (!page) throw new ChannelError('rejected', '附件已过期')
  const bytes = Buffer.from(rt.vault.open(page.textSealed), 'base64')
  return bytes.length >= MIN_FILE_BYTES && bytes.length <= MAX_FILE_BYTES ? bytes : null
}
