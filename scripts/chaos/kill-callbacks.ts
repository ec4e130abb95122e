import { createHash, randomInt } from 'node:crypto'
import type { Chance } from '../demo/chance.ts'
import { encryptMessage } from '../simulator/crypto.ts'
import { toXml } from '../simulator/xml.ts'
import { keys, packParcel, recipients, sealedParcel } from './doors.ts'
import { Line } from './wire.ts'

/** A callback that can be found again by its key, and counted by its effect. */
export interface KillCallback {
  xml: string
  /** What it is stored under. */
  key: string
  /** An owner's 登记: one message recorded, no more and no less. */
  isRecord: boolean
}

const OWNER = 'owner'
let serial = 0

/** A text of the owner. */
export function ownerText(text: string, isRecord = false): KillCallback {
  // the platforms' ids are 64-bit numbers; these are never the same twice, from one run to the next
  const id = `${Date.now()}${String(serial++ % 100_000).padStart(5, '0')}`
  const xml = toXml({ ...head(OWNER), MsgType: 'text', Content: text, MsgId: BigInt(id), AgentID: 1 })
  return { xml, key: `id:${id}`, isRecord }
}

/** Something changed in a customer group. Events have no id: they are known by the hash of their body. */
function groupEvent(luck: Chance): KillCallback {
  const version = `${Date.now().toString(16)}${(serial++).toString(16)}`
  const xml = toXml({
    ...head('sys'),
    MsgType: 'event',
    Event: 'change_external_chat',
    ChatId: `wrChaos${luck.between(1, 20)}`,
    ChangeType: 'update',
    UpdateDetail: 'add_member',
    JoinScene: 3,
    MemChangeCnt: 1,
    MemChangeList: { Item: `wm${version}` },
    LastMemVer: version,
    CurMemVer: `${version}n`,
  })
  return { xml, key: `hash:${createHash('sha256').update(xml).digest('base64url')}`, isRecord: false }
}

/** What comes in: half of it writes, the rest is answered outright or only noted. */
export function anyCallback(luck: Chance, group: number): KillCallback {
  const draw = luck.next()
  if (draw < 0.5) return ownerText(`登记 ${group} 致富 1条`, true)
  if (draw < 0.65) return ownerText('帮助')
  if (draw < 0.75) return ownerText(`天气${luck.between(1, 99)}`)
  return groupEvent(luck)
}

function head(from: string) {
  return { ToUserName: recipients.wecom, FromUserName: from, CreateTime: Math.floor(Date.now() / 1000) }
}

/** Sends a callback once, signed and encrypted afresh as WeCom does. true: acknowledged with 200. */
export async function post(port: number, callback: KillCallback): Promise<boolean> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const nonce = String(randomInt(1e9))
  const encrypted = encryptMessage(keys.wecom, callback.xml)
  const parcel = sealedParcel({ door: 'wecom', timestamp, nonce, encrypted, isJson: false, plainCopy: '' })
  const line = new Line(port)
  try {
    const [outcome] = await line.exchange(packParcel(parcel), [false])
    return typeof outcome === 'object' && outcome.status === 200
  } catch {
    return false
  } finally {
    line.close()
  }
}
