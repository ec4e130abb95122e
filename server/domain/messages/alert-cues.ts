import { neededSigns } from './needed-signs.ts'
import type { PersonalDatum } from './personal-data.ts'
import { MARK, PLACES, placeOf } from './text-features.ts'

export type AlertKind = 'safety' | 'privacy' | 'secret'

/** Most serious first: help in danger goes before data, data before papers. */
export const ALERT_KINDS: readonly AlertKind[] = ['safety', 'privacy', 'secret']

/** `templates/policies/alerts.json`. */
export interface AlertPolicy {
  thresholds: Record<AlertKind, number>
  cues: readonly { id: string; kind: string; source: string; words: readonly string[] }[]
}

export interface Cue {
  id: string
  mark: string
  kind: string
  pattern: RegExp
}

export interface CueHit {
  mark: string
  kind: string
  index: number
  length: number
}

export function compileCues(policy: AlertPolicy): Cue[] {
  return policy.cues.map(({ id, kind, words }) => ({
    id,
    mark: MARK + id,
    kind,
    pattern: new RegExp(words.join('|'), 'u'),
  }))
}

/** Up to 32 cues, and for every character those that it makes worth a look, one bit each; characters share a place. */
interface Gates {
  list: readonly Cue[]
  opens: Uint32Array
  /** Those that no sign is known to be needed for. */
  always: number
}

const BITS = 32
const arranged = new WeakMap<readonly Cue[], readonly Gates[]>()

function gatesOf(cues: readonly Cue[]): readonly Gates[] {
  let gates = arranged.get(cues)
  if (!gates) {
    gates = Array.from({ length: Math.ceil(cues.length / BITS) }, (_, nth) =>
      gatesFor(cues.slice(nth * BITS, (nth + 1) * BITS)),
    )
    arranged.set(cues, gates)
  }
  return gates
}

function gatesFor(list: readonly Cue[]): Gates {
  const opens = new Uint32Array(PLACES)
  let always = 0
  for (const [place, { pattern }] of list.entries()) {
    const needed = neededSigns(pattern.source)
    if (needed === null) always |= 1 << place
    else
      for (const sign of needed) {
        const shared = placeOf(sign.charCodeAt(0))
        opens[shared] = (opens[shared] as number) | (1 << place)
      }
  }
  return { list, opens, always }
}

/** The first place of every cue that the message holds. */
export function findCues(cues: readonly Cue[], text: string): CueHit[] {
  const hits: CueHit[] = []
  for (const { list, opens, always } of gatesOf(cues)) {
    let open = always
    for (let at = 0; at < text.length; at++) open |= opens[placeOf(text.charCodeAt(at))] as number
    for (let place = 0; place < list.length; place++) {
      if ((open & (1 << place)) === 0) continue
      const { mark, kind, pattern } = list[place] as Cue
      const match = pattern.exec(text)
      if (match) hits.push({ mark, kind, index: match.index, length: match[0].length })
    }
  }
  return hits
}

const SURNAMES =
  '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹喻苏潘葛范彭鲁韦马苗方俞任袁柳唐罗薛雷贺倪汤殷毕郝安常傅齐康伍余顾孟黄穆萧尹姚邵汪祁毛戴宋庞熊舒项祝董梁杜阮蓝贾江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍万柯管卢莫丁邓洪崔龚程邢裴陆翁段侯武刘龙叶白蒲向古石廖耿满寇龚欧尚聂曾沙丰关蒯查盖益公'
const NAME = new RegExp(
  `(?<![\\u4e00-\\u9fff])(?:[0-9０-９.、)）]\\s*)?[${SURNAMES}][\\u4e00-\\u9fff×*]{1,2}(?=[，,、：:；;。\\s(（\\d]|的|是|家|同学|妈|爸|$)`,
  'gu',
)
const NOT_NAMES =
  /^(?:[马]上|高[兴温中校考速原三一二血铁]|[万]一|[安]全|[方]便|[关]于|[向]上|[任]务|[金]额|[常]委|[时]间|[公]示|[段]子|[严]禁|[古]城|[白]天|[石]头|[林]草|[何]时|[余]额|[许]多|[明]天|[江]南|[祝]|[谢]谢|[盖]章|[查]|[管]|[全]|[沙]发|[田]里|[龙]|[毛]|[康]复|[雷]雨|[黄]色|[洪]水|[武]装)/u
const OWN_WORK = /联系人|咨询|报名|热线|值班|客服|有事(?:打|找)|办公室|师傅|老师|主任|干事|科长|经理/u

const NAMED = `${MARK}有人名`
const NAMED_TWICE = `${MARK}多个人名`

/** Marks for the model: the cues found, whether people are named, and what structure gave away. */
export function alertMarks(text: string, hits: readonly CueHit[], data: readonly PersonalDatum[]): string[] {
  const marks = hits.map(({ mark }) => mark)
  const names = countNames(text)
  if (names > 0) marks.push(NAMED)
  if (names > 1) marks.push(NAMED_TWICE)
  if (data.length === 0) return marks
  for (const kind of new Set(data.map(datum => datum.kind))) {
    if (kind !== 'mobile') marks.push(`${MARK}数据-${kind}`)
  }
  if (exposedPhones(text, data).length > 0) marks.push(`${MARK}多个手机号`)
  return marks
}

export function countNames(text: string): number {
  NAME.lastIndex = 0
  if (!NAME.test(text)) return 0
  const names = new Set<string>()
  for (const match of text.matchAll(NAME)) if (!NOT_NAMES.test(match[0])) names.add(match[0])
  return names.size
}

/**
 * Phones of two or more persons given together. A contact for work (a notice's two 联系人, each with an office
 * title) is none: those numbers are meant to be known.
 */
export function exposedPhones(text: string, data: readonly PersonalDatum[]): PersonalDatum[] {
  const phones = data.filter(({ kind }) => kind === 'mobile')
  if (new Set(phones.map(({ value }) => value)).size < 2) return []
  const forWork = phones.length <= 3 && OWN_WORK.test(text) && /联系人|咨询|报名|热线|值班|客服/u.test(text)
  return forWork ? [] : phones
}
