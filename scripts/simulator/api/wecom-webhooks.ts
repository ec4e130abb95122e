import { createHash } from 'node:crypto'
import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { postInGroup } from '../groups.ts'
import { MINUTE } from '../limits.ts'
import { isPicture, readUpload } from '../media.ts'
import type { Content, Robot } from '../world.ts'
import { readContent } from './contents.ts'
import { type Body, record, text, textList } from './fields.ts'
import type { ApiTable, OpenCall } from './platform.ts'

/** @see developer.work.weixin.qq.com/document/path/99110 */
const PER_MINUTE = 20
const PICTURE_BYTES = 2 * 1024 * 1024
const PATH = '/cgi-bin/webhook/send'

function robotOf(core: Core, key: string | undefined): Robot {
  const robot = key ? core.world.robots.get(key) : undefined
  if (!robot || robot.removed || core.faults.strikes('robot-removed', PATH)) {
    refuse(93000, 'invalid webhook url')
  }
  if (core.world.group(robot.groupId).dismissed) refuse(93008, 'not in group')
  return robot
}

function readPicture(part: Body): Content {
  const bytes = Buffer.from(text(part, 'base64', { code: 93017 }), 'base64')
  if (bytes.length > PICTURE_BYTES) refuse(93018, 'image too big')
  if (!isPicture(bytes)) refuse(40005, 'invalid file type: not a JPG or PNG')
  if (createHash('md5').update(bytes).digest('hex') !== text(part, 'md5').toLowerCase())
    refuse(40058, 'invalid parameter: md5')
  return { kind: 'image', text: '[图片]' }
}

function send({ core, query, body }: OpenCall) {
  const robot = robotOf(core, query.key)
  if (core.limits.has('webhookFrequency') && !core.limits.take(`webhook|${robot.key}`, PER_MINUTE, MINUTE)) {
    refuse(45009, 'api freq out of limit')
  }
  const content =
    body.msgtype === 'image'
      ? readPicture(record(body, 'image'))
      : readContent(core, body, {
          types: ['text', 'markdown', 'markdown_v2', 'news', 'file', 'voice', 'template_card'],
          textBytes: 2048,
          overlong: 'refuse',
          markdownBytes: 4096,
          cards: 'notices',
          mediaOwner: robot.key,
          where: 'webhook',
          emptyCode: 93017,
        })
  const part = body.msgtype === 'text' ? record(body, 'text') : {}
  const mentions = [
    ...textList(part, 'mentioned_list', 1000),
    ...textList(part, 'mentioned_mobile_list', 1000),
  ]
  const post = postInGroup(core, core.world.group(robot.groupId), 'robot', 'robot', content)
  if (mentions.length > 0) post.mentions = mentions
  return {}
}

function upload({ core, query, raw, contentType }: OpenCall) {
  const robot = robotOf(core, query.key)
  const { type, fileName, bytes } = readUpload(query.type ?? '', ['file', 'voice'], contentType, raw)
  const media = core.media.put({ type, fileName, bytes, owner: robot.key })
  return { type, media_id: media.id, created_at: String(unixSeconds(media.createdAt)) }
}

export const wecomWebhooks: ApiTable<WecomApp> = {
  [PATH]: { method: 'POST', open: true, counted: true, runOpen: send },
  '/cgi-bin/webhook/upload_media': {
    method: 'POST',
    upload: true,
    open: true,
    counted: true,
    runOpen: upload,
  },
}
