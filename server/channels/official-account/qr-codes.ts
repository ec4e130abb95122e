import { characters, numberOf, refuseUnless, requiredTextOf, textOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { QrCodes } from './ports.ts'

const MAX_LASTING_SECONDS = 2_592_000
const MAX_TEMPORARY_ID = 4_294_967_295
const MAX_PERMANENT_ID = 100_000
const MAX_SCENE_CHARACTERS = 64
const PICTURE_URL = 'https://mp.weixin.qq.com/cgi-bin/showqrcode'

/** 带参数二维码. @see https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode.html */
export function createQrCodes(client: OfficialAccountClient): QrCodes {
  return {
    async createQrCode(scene, lastsSeconds) {
      client.require('qrScene')
      if (typeof scene === 'string')
        refuseUnless(
          scene !== '' && characters(scene) <= MAX_SCENE_CHARACTERS,
          `场景值应为 1 至 ${MAX_SCENE_CHARACTERS} 个字符`,
        )
      else {
        const most = lastsSeconds === null ? MAX_PERMANENT_ID : MAX_TEMPORARY_ID
        refuseUnless(
          Number.isInteger(scene) && scene >= 1 && scene <= most,
          `数字场景值应为 1 至 ${most} 的整数`,
        )
      }
      if (lastsSeconds !== null)
        refuseUnless(
          Number.isInteger(lastsSeconds) && lastsSeconds >= 1 && lastsSeconds <= MAX_LASTING_SECONDS,
          `临时二维码的有效期应为 1 至 ${MAX_LASTING_SECONDS} 秒`,
        )
      const now = client.services.now()
      const answer = await client.call({
        path: '/cgi-bin/qrcode/create',
        body: {
          ...(lastsSeconds === null ? {} : { expire_seconds: lastsSeconds }),
          action_name: `QR_${lastsSeconds === null ? 'LIMIT_' : ''}${typeof scene === 'string' ? 'STR_' : ''}SCENE`,
          action_info: { scene: typeof scene === 'string' ? { scene_str: scene } : { scene_id: scene } },
        },
        // a code that nobody sees does no harm
        isSafe: true,
      })
      const ticket = requiredTextOf(answer, 'ticket')
      return {
        ticket,
        url: textOf(answer, 'url'),
        imageUrl: `${PICTURE_URL}?ticket=${encodeURIComponent(ticket)}`,
        expiresAt:
          lastsSeconds === null
            ? null
            : new Date(now.getTime() + (numberOf(answer, 'expire_seconds') || lastsSeconds) * 1000),
      }
    },
  }
}
