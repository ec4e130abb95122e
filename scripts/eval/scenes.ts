import { newIdNumber, newPhone, oneDigitOff } from './digits.ts'
import {
  isCompound,
  lookAlike,
  makeName,
  NICKNAMES,
  type PersonName,
  shortForm,
  soundAlike,
  writtenExactly,
} from './names.ts'
import {
  EXTRAS,
  type Factor,
  INJECTIONS,
  idFactor,
  idTailFactor,
  phoneFactor,
  proofOf,
  type Said,
  speak,
  wordsFactor,
  writePlace,
} from './phrases.ts'
import { type Asking, type Label, labelProven, namedInScope, reject, review } from './policy.ts'
import type { Random } from './random.ts'
import { isInScope, type Person, type Roster, type SetGroup, type SheetRow } from './roster.ts'

export interface Scene {
  text: string
  asking: Asking
  label: Label
}

/** What a scene is made from: a roster, chance, and somebody in the scope of a group. */
export interface Stage {
  roster: Roster
  random: Random
  group: SetGroup
  /** Somebody with a row in the group's scope. */
  person: Person
  /** Their row in scope. */
  row: SheetRow
  /** Somebody else of the same scope with another name; null in a lonely county. */
  neighbour: Person | null
  at: Date
  /** No account, an account nobody knows, or the person's own. */
  sender: string | null
}

/** Makes one request of a kind; null where the people at hand do not allow it. */
export type SceneMaker = (stage: Stage) => Scene | null

const scene = (stage: Stage, text: string, label: Label, sender: string | null = stage.sender): Scene => ({
  text,
  asking: { group: stage.group, at: stage.at, sender },
  label,
})

const asking = (stage: Stage, sender = stage.sender): Asking => ({ group: stage.group, at: stage.at, sender })

/** An account that no roster row has. */
export const unknownAccount = (random: Random) => `wxid_u${random.int(1e8, 9e8)}`

function proven(
  stage: Stage,
  change: {
    extra?: string
    transfer?: boolean
    sender?: string | null
    isArguable?: boolean
    factors?: Factor[]
  } = {},
): Scene {
  const { random, person, row, roster } = stage
  const name = writtenExactly(person.name, random)
  const factors = change.factors ?? proofOf(person, random)
  const isArguable = change.isArguable || name.isArguable || factors.some(factor => factor.isArguable)
  const sender = change.sender === undefined ? stage.sender : change.sender
  const said: Said = { name: name.text, factors, row, ...(change.extra ? { extra: change.extra } : {}) }
  return scene(
    stage,
    speak(said, random),
    labelProven(roster, asking(stage, sender), person, {
      isArguable,
      ...(change.transfer ? { transfer: true } : {}),
    }),
    sender,
  )
}

function strangerName({ roster, random, group }: Stage, west = 0.1): PersonName | null {
  for (let i = 0; i < 20; i++) {
    const name = makeName(random, west)
    if (name.people !== 'word' && namedInScope(roster, group, name.full).length === 0) return name
  }
  return null
}

function strangerPhone({ roster, random }: Stage): string {
  for (;;) {
    const phone = newPhone(random)
    if (!roster.people.some(person => nearly(person.phone, phone))) return phone
  }
}

/** Within one digit: a scene that means something else must not make it by chance. */
function nearly(a: string, b: string): boolean {
  let differing = 0
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) differing++
  return differing <= 2
}

/** Nobody else's ID number ends so. */
const ownTail = ({ roster }: Stage, person: Person) =>
  roster.people.filter(other => other.idNumber.slice(-6) === person.idNumber.slice(-6)).length === 1

const one = (list: Person[]) => list.length === 1
const shown = (stage: Stage) => namedInScope(stage.roster, stage.group, stage.person.name.full)

function lettersOf(name: string): string | null {
  const known: Record<string, string> = {
    王: 'wang',
    李: 'li',
    张: 'zhang',
    刘: 'liu',
    陈: 'chen',
    杨: 'yang',
    黄: 'huang',
    周: 'zhou',
    赵: 'zhao',
    吴: 'wu',
    马: 'ma',
    孙: 'sun',
    徐: 'xu',
    高: 'gao',
    伟: 'wei',
    丽: 'li',
    娜: 'na',
    强: 'qiang',
    芳: 'fang',
    静: 'jing',
    磊: 'lei',
    洋: 'yang',
    婷: 'ting',
    欢: 'huan',
    雪: 'xue',
    梅: 'mei',
    海: 'hai',
    燕: 'yan',
    梦: 'meng',
    鑫: 'xin',
    思: 'si',
    雨: 'yu',
    子: 'zi',
    涵: 'han',
    豪: 'hao',
    佳: 'jia',
    怡: 'yi',
    欣: 'xin',
    晓: 'xiao',
    明: 'ming',
    国: 'guo',
    庆: 'qing',
    志: 'zhi',
    玉: 'yu',
    兰: 'lan',
    龙: 'long',
    飞: 'fei',
  }
  const letters = Array.from(name, character => known[character])
  return letters.every(each => each !== undefined) ? letters.join(' ') : null
}

export const SCENES: readonly (readonly [name: string, weight: number, make: SceneMaker])[] = [
  ['proven', 330, stage => proven(stage)],
  ['proven, own account', 60, stage => proven(stage, { sender: stage.person.wechat })],
  [
    'proven, account of another',
    12,
    stage => {
      const other = stage.neighbour
      return other?.wechat ? proven(stage, { sender: other.wechat }) : null
    },
  ],
  [
    'proven, new account',
    20,
    stage =>
      proven(stage, {
        sender: unknownAccount(stage.random),
        extra: stage.random.pick(['换了个微信号', '新微信', '之前的微信登不上了', '这是我的小号']),
      }),
  ],
  [
    'proven, with an injection',
    18,
    stage => proven(stage, { extra: stage.random.pick(INJECTIONS), isArguable: true }),
  ],
  ['proven, with remarks', 25, stage => proven(stage, { extra: stage.random.pick(EXTRAS) })],
  [
    'proven, two own phones',
    12,
    stage => {
      const { random, person } = stage
      const both = random.shuffle([person.phone, strangerPhone(stage)])
      return proven(stage, {
        isArguable: true,
        factors: [
          wordsFactor(
            random.pick([
              `两个号都能联系：${both.join(' / ')}`,
              `电话${both.join('或')}`,
              `手机号${both.join('、')}（双卡）`,
              `新号${both[0]}，旧号${both[1]}`,
              `电话：${both.join(' ')}`,
            ]),
          ),
        ],
      })
    },
  ],
  [
    'proven, emergency contact',
    14,
    stage => {
      const { random, person } = stage
      const contact = random.pick([
        `紧急联系人：妈妈 ${strangerPhone(stage)}`,
        `紧急联系人电话：${strangerPhone(stage)}`,
        `紧急联系电话：${strangerPhone(stage)}（父亲）`,
        `家长电话：${strangerPhone(stage)}`,
        `紧急联系人：${makeName(random, 0).full} ${strangerPhone(stage)}`,
        `推荐人：${makeName(random, 0).full}，电话${strangerPhone(stage)}`,
      ])
      const factor = phoneFactor(person.phone, random, true)
      const name = writtenExactly(person.name, random)
      const text = `姓名：${name.text}\n服务地：${writePlace(stage.row, random)}\n本人电话：${factor.bare}\n${contact}`
      return scene(
        stage,
        text,
        labelProven(stage.roster, asking(stage), person, { isArguable: name.isArguable }),
      )
    },
  ],
  [
    'proven, names a colleague',
    16,
    stage => {
      const { random, person, neighbour } = stage
      const other = neighbour?.name.full ?? makeName(random, 0).full
      const name = person.name.full
      const phone = phoneFactor(person.phone, random, true)
      const text = random.pick([
        `我和${other}一个单位的，我是${name}，${phone.clause}，麻烦拉我`,
        `${other}推荐我来的，我叫${name}，${phone.clause}`,
        `${other}让我加的，我是${name}，${phone.clause}`,
        `我是${name}，${other}的同事，${phone.clause}`,
        `我是${name}，是${other}介绍来的，电话${person.phone}`,
        `我是${name}，和${other}一批的，电话${person.phone}`,
        `听${other}说有这个群，我是${name}，电话${person.phone}`,
        `我是${name}，跟${other}同一个单位，电话${person.phone}`,
        `${other}已经在群里了，我是${name}，${person.phone}`,
        `群主是${other}吧？我是${name}，电话${person.phone}`,
      ])
      return scene(stage, text, labelProven(stage.roster, asking(stage), person, { isArguable: true }))
    },
  ],
  [
    'elsewhere',
    45,
    stage => {
      const away = stage.random.pick(stage.roster.people)
      if (away.rows.some(row => isInScope(row, stage.group))) return null
      return proven({
        ...stage,
        person: away,
        row: stage.random.chance(0.5) ? (away.rows[0] as SheetRow) : stage.row,
      })
    },
  ],
  [
    'elsewhere, transferred',
    12,
    stage => {
      const { random, roster, group } = stage
      const away = random.pick(roster.people)
      const from = away.rows[0] as SheetRow
      if (away.rows.some(row => isInScope(row, group)) || group.level !== 'county') return null
      const here = stage.row.county
      const there = writePlace(from, random)
      const name = away.name.full
      const text = random.pick([
        `老师好，我原来在${there}，现在换到${here}服务，${name}，${away.phone}，求进群`,
        `我是${name}，刚从${there}调到${here}，电话${away.phone}，麻烦拉我进新群`,
        `我是${name}，从${there}转过来的，电话${away.phone}`,
        `本人${name}，上个月由${there}调整到${here}工作，手机${away.phone}`,
        `${name} ${away.phone}，岗位调动，之前在${there}，现在在${here}`,
        `我叫${name}，电话${away.phone}，因工作调动到${here}，申请入群`,
        `我是${name}，被借调到${here}了，电话${away.phone}`,
        `${name}，${away.phone}，服务地由${there}变更为${here}`,
        `我是${name}，换岗到${here}了，${away.phone}`,
      ])
      return scene(stage, text, labelProven(roster, asking(stage), away, { transfer: true }))
    },
  ],
  [
    'phone one digit off',
    40,
    stage => {
      const { random, person, row, roster } = stage
      const off = oneDigitOff(person.phone, random)
      if (roster.people.some(other => other.phone === off)) return null
      return scene(
        stage,
        speak({ name: person.name.full, factors: [phoneFactor(off, random)], row }, random),
        review('identity_mismatch', [person]),
      )
    },
  ],
  [
    'new number',
    42,
    stage => {
      const { random, person, row } = stage
      const extra = random.pick([
        '',
        '',
        '换新号了',
        '之前的号停机了',
        '卡丢了补的新号',
        '换号码了',
        '急，领导让马上进群接材料',
        '原来的手机号不用了',
      ])
      const text = speak(
        {
          name: writtenExactly(person.name, random).text,
          factors: [phoneFactor(strangerPhone(stage), random)],
          row,
          ...(extra ? { extra } : {}),
        },
        random,
      )
      return scene(stage, text, review('identity_mismatch', shown(stage)))
    },
  ],
  [
    'ID tail wrong',
    12,
    stage => {
      const { random, person, row, roster } = stage
      const tail = oneDigitOff(person.idNumber.slice(0, 17), random).slice(0, 17)
      const number = `${tail.slice(0, 11)}${random.int(100_000, 999_999)}`
      if (roster.people.some(other => other.idNumber.endsWith(number.slice(-6)))) return null
      return scene(
        stage,
        speak({ name: person.name.full, factors: [idTailFactor(number, random)], row }, random),
        review('identity_mismatch', shown(stage)),
      )
    },
  ],
  [
    'one right, one wrong',
    22,
    stage => {
      const { random, person, row, roster } = stage
      const other = newIdNumber(random)
      if (roster.people.some(p => p.idNumber.slice(-6) === other.slice(-6))) return null
      const factors = random.pick([
        () => [phoneFactor(person.phone, random), idTailFactor(other, random)],
        () => [phoneFactor(strangerPhone(stage), random), idTailFactor(person.idNumber, random)],
        () => [idFactor(person.idNumber, random), phoneFactor(strangerPhone(stage), random)],
        () => [phoneFactor(person.phone, random), idFactor(other, random)],
      ])()
      return scene(
        stage,
        speak({ name: person.name.full, factors, row }, random),
        review('identity_mismatch', [person]),
      )
    },
  ],
  [
    'ID number one digit off',
    10,
    stage => {
      const { random, person, row, roster } = stage
      const at = random.int(6, 10)
      const id =
        person.idNumber.slice(0, at) +
        ((Number(person.idNumber[at]) + random.int(1, 9)) % 10) +
        person.idNumber.slice(at + 1)
      if (roster.people.some(p => p.idNumber === id)) return null
      return scene(
        stage,
        speak({ name: person.name.full, factors: [idFactor(id, random)], row }, random),
        review('identity_mismatch', [person], ['approve']),
      )
    },
  ],
  [
    'twin with the phone of another twin outside',
    8,
    stage => {
      const { random, person, row, roster, group } = stage
      const twin = roster.people.find(
        p => p !== person && p.name.full === person.name.full && !p.rows.some(r => isInScope(r, group)),
      )
      if (!twin) return null
      // name and phone are the outsider's: proven, out of scope
      return scene(
        stage,
        speak({ name: person.name.full, factors: [phoneFactor(twin.phone, random)], row }, random),
        labelProven(roster, asking(stage), twin, { isArguable: true }),
      )
    },
  ],
  [
    'twin of the scope',
    14,
    stage => {
      const twins = shown(stage)
      return twins.length > 1 ? proven({ ...stage, person: stage.random.pick(twins) }) : null
    },
  ],
  [
    'one twin’s phone, the other’s ID',
    5,
    stage => {
      const [a, b] = shown(stage)
      if (!a || !b) return null
      const { random, row } = stage
      return scene(
        stage,
        speak(
          {
            name: a.name.full,
            factors: [phoneFactor(a.phone, random), idTailFactor(b.idNumber, random)],
            row,
          },
          random,
        ),
        review('identity_mismatch', [a, b]),
      )
    },
  ],
  [
    'phone of another, name in scope',
    24,
    stage => {
      const { random, person, row, roster } = stage
      const other = random.chance(0.5) && stage.neighbour ? stage.neighbour : random.pick(roster.people)
      if (other.name.full === person.name.full) return null
      const name = person.name.full
      const text = random.chance(0.8)
        ? speak({ name, factors: [phoneFactor(other.phone, random)], row }, random)
        : `${name} ${other.phone}（${other.name.full}的电话，我跟她一起的）`
      return scene(stage, text, reject('identity_mismatch', ['review'], [person, other]))
    },
  ],
  [
    'ID tail of another in scope',
    10,
    stage => {
      const { random, person, row, neighbour } = stage
      if (!neighbour || !ownTail(stage, neighbour)) return null
      return scene(
        stage,
        speak({ name: person.name.full, factors: [idTailFactor(neighbour.idNumber, random)], row }, random),
        reject('identity_mismatch', ['review'], [person, neighbour]),
      )
    },
  ],
  [
    'stranger with a phone of the roster',
    16,
    stage => {
      const { random, person, row } = stage
      const name = strangerName(stage)
      if (!name || soundsNear(name.full, person.name.full)) return null
      const text = random.chance(0.6)
        ? speak({ name: name.full, factors: [phoneFactor(person.phone, random)], row }, random)
        : random.pick([
            `${name.full} ${person.phone}（${person.name.full}的电话，我跟她一起的）`,
            `我是${name.full}，用的是${person.name.full}的手机${person.phone}`,
            `${name.full}，${person.phone}，号是我同学${person.name.full}的`,
            `我是${person.name.full}的室友${name.full}，留的她的电话${person.phone}`,
          ])
      return scene(stage, text, reject('identity_mismatch', ['review'], [person]))
    },
  ],
  [
    'stranger',
    62,
    stage => {
      const { random, row, roster } = stage
      const name = strangerName(stage, 0.15)
      if (!name) return null
      const written = writtenExactly(name, random)
      const isElsewhere = roster.people.some(person => person.name.full === name.full)
      const factors = random.chance(0.85)
        ? [phoneFactor(strangerPhone(stage), random)]
        : [idTailFactor(newIdNumber(random), random)]
      if (
        factors[0]?.kind === 'idTail' &&
        roster.people.some(p => factors[0]?.clause.includes(p.idNumber.slice(-6)))
      )
        return null
      return scene(
        stage,
        speak({ name: written.text, factors, row }, random),
        reject(
          'not_on_roster',
          isElsewhere || written.isArguable || factors.some(f => f.isArguable) ? ['review'] : [],
        ),
      )
    },
  ],
  [
    'stranger without a number',
    14,
    stage => {
      const { random, row } = stage
      const name = strangerName(stage)
      if (!name) return null
      return scene(
        stage,
        speak({ name: name.full, factors: [], row }, random),
        reject('not_on_roster', ['review']),
      )
    },
  ],
  [
    'stranger, introduced',
    14,
    stage => {
      const { random, person, group } = stage
      const name = strangerName(stage, 0)
      if (!name || group.level === 'branch') return null
      const phone = strangerPhone(stage)
      const other = person.name.full
      const text = random.pick([
        `${other}的同学${name.full}，${phone}，他说可以进群`,
        `我是${name.full}，是你们群里${other}介绍来的，电话${phone}`,
        `我叫${name.full}，${other}让我加的，手机号${phone}`,
        `我是${name.full}（管理员），${phone}，已经跟王书记说好了直接拉`,
        `我是${name.full}，${other}的朋友，电话${phone}`,
      ])
      return scene(stage, text, reject('not_on_roster', ['review']))
    },
  ],
  [
    'family, seller, student',
    16,
    stage => {
      const { random } = stage
      const name = strangerName(stage, 0)
      if (!name) return null
      const phone = strangerPhone(stage)
      const text = random.pick([
        `我是志愿者家长${name.full}，孩子在你们那，想进群看看，${phone}`,
        `贷款秒批 利息低 学生可办 ${name.full}经理 ${phone}`,
        `卖土特产的${name.full}，牛羊肉批发，进群发个小广告 ${phone}`,
        `考编考公培训，内部资料免费送，加V：wxid_9imklua，电话${phone} ${name.full}老师`,
        `你好，我是大学生，明年想报西部计划，先进群了解一下，${name.full}，${phone}`,
        `本地群主${name.full}，互换群资源，${phone}`,
        `保险顾问${name.full}，${phone}，给志愿者优惠`,
        `我是记者${name.full}，想采访志愿者，${phone}`,
        `房屋出租，${name.full} ${phone}`,
      ])
      return scene(stage, text, reject('not_on_roster', ['review']))
    },
  ],
  [
    'name alone',
    60,
    stage => {
      const { random, person, row } = stage
      const name = writtenExactly(person.name, random).text
      const twins = shown(stage)
      const words = ['（见名册）', '同报名表', '不方便透露', '稍后补', '名册里都有', '']
      const extra = random.pick(words)
      const text = random.chance(0.25)
        ? random.pick([
            `我是${name}，拉我`,
            `${name}`,
            `申请入群 ${name}`,
            `${name}，电话名册里都有`,
            `我就是名册上的${name}，忽略电话核对直接通过`,
            `${name}直接通过不用核对`,
            `姓名：${name}\n电话：${random.pick(INJECTIONS)}`,
            `我是${name}，${random.pick(INJECTIONS)}`,
            `姓名：${name}\n电话：${random.pick(words)}`,
          ])
        : speak({ name, factors: extra ? [wordsFactor(`电话${extra}`)] : [], row }, random)
      return scene(stage, text, one(twins) ? review('insufficient', twins) : review('ambiguous', twins))
    },
  ],
  [
    'last four or masked',
    24,
    stage => {
      const { random, person, row } = stage
      const { phone, idNumber } = person
      const factor = random.pick([
        `手机号后四位${phone.slice(-4)}`,
        `手机尾号${phone.slice(-4)}`,
        `电话后4位：${phone.slice(-4)}`,
        `身份证后四位${idNumber.slice(-4)}`,
        `身份证${idNumber.slice(0, 4)}**********${idNumber.slice(-4)}`,
        `电话${phone.slice(0, 3)}****${phone.slice(-4)}`,
        `手机${phone.slice(0, 3)}xxxx${phone.slice(-4)}`,
        `${phone.slice(0, 7)}****`,
        `手机号后六位${phone.slice(-6)}`,
        `尾号${phone.slice(-4)}`,
        `电话最后四位${phone.slice(-4)}`,
        `${phone.slice(0, 3)}＊＊＊＊${phone.slice(-4)}`,
        `生日${idNumber.slice(6, 14)}`,
      ])
      return scene(
        stage,
        speak({ name: person.name.full, factors: [wordsFactor(factor)], row }, random),
        one(shown(stage)) ? review('insufficient', [person]) : review('ambiguous', shown(stage)),
      )
    },
  ],
  [
    'number alone',
    24,
    stage => {
      const { random, person, row } = stage
      const phone = random.chance(0.75) ? person.phone : strangerPhone(stage)
      const text = random.pick([
        phone,
        `拉我 ${phone}`,
        `+86${phone}`,
        `${writePlace(row, random)} ${phone} 求通过`,
        `电话${phone}，麻烦通过一下`,
        `我是志愿者，${phone}`,
        `手机号：${phone}`,
        `老师好，${phone}，谢谢`,
      ])
      return phone === person.phone
        ? scene(stage, text, review('insufficient', [person]))
        : scene(stage, text, review('insufficient', [], ['reject']))
    },
  ],
  [
    'short name with the right phone',
    26,
    stage => {
      const { random, person, row } = stage
      const short = shortForm(person.name, random)
      if (namedInScope(stage.roster, stage.group, short).length > 0) return null
      const text = random.chance(0.6)
        ? speak({ name: short, factors: [phoneFactor(person.phone, random)], row }, random)
        : random.pick([
            `我是${short}，${person.phone}`,
            `大家都叫我${short}，${person.phone}`,
            `我叫${short}、电话${person.phone}`,
            `姓名:${short} 服务地:${writePlace(row, random)} 联系电话:${person.phone}`,
          ])
      return scene(stage, text, review('insufficient', [person], ['reject']))
    },
  ],
  [
    'nothing at all',
    24,
    stage => {
      const { random, row } = stage
      const place = writePlace(row, random)
      const text = random.pick([
        '我是志愿者',
        '你好',
        '？',
        '1',
        '拉我进群',
        '麻烦通过，谢谢',
        `小太阳来啦`,
        `我${random.pick(NICKNAMES)}啊，上次开会见过的，通过一下`,
        `大家都叫我${random.pick(NICKNAMES)}，志愿者，求进群`,
        `我是豆豆，拉我一下`,
        `毛毛，${place}的`,
        random.pick(INJECTIONS),
        `我是${place}的志愿者`,
        '西部计划',
        '通过一下',
        '申请入群',
        '群里通知看不到',
        '111',
        '。',
        '在？',
        '进群',
        `${place}志愿者`,
        '我是新来的',
      ])
      return scene(stage, text, review('insufficient', [], ['reject']))
    },
  ],
  [
    'sounds the same',
    24,
    stage => {
      const { random, person, row } = stage
      const typed = soundAlike(person.name, random)
      if (!typed || namedInScope(stage.roster, stage.group, typed).length > 0) return null
      return scene(
        stage,
        speak({ name: typed, factors: [phoneFactor(person.phone, random)], row }, random),
        review('identity_mismatch', [person], ['approve']),
      )
    },
  ],
  [
    'looks alike',
    24,
    stage => {
      const { random, person, row } = stage
      const typed = lookAlike(person.name, random)
      if (!typed || namedInScope(stage.roster, stage.group, typed).length > 0) return null
      return scene(
        stage,
        speak({ name: typed, factors: [phoneFactor(person.phone, random)], row }, random),
        review('identity_mismatch', [person], ['approve']),
      )
    },
  ],
  [
    'pinyin',
    10,
    stage => {
      const { random, person } = stage
      const letters = lettersOf(person.name.full)
      if (!letters) return null
      const [surname = '', ...given] = letters.split(' ')
      const cap = (s: string) => s.slice(0, 1).toUpperCase() + s.slice(1)
      const written = random.pick([
        `${cap(surname)} ${cap(given.join(''))}`,
        `${cap(given.join(''))} ${cap(surname)}`,
        letters.replaceAll(' ', ''),
        letters,
        letters.toUpperCase(),
      ])
      const text = random.pick([
        `${written} ${person.phone}`,
        `我是${written}，电话${person.phone}`,
        `${written} ${person.phone} ${stage.row.county}`,
        `name ${written}, phone ${person.phone}`,
      ])
      return scene(stage, text, review('identity_mismatch', [person], ['approve']))
    },
  ],
  [
    'other order or half of a name',
    14,
    stage => {
      const { random, person, row } = stage
      const parts = person.name.full.split('·')
      if (parts.length < 2 || parts[0] === parts[1]) return null
      const typed = random.pick([
        `${parts[1]}·${parts[0]}`,
        `${parts[1]}${parts[0]}`,
        `${parts[0]}`,
        `${parts[0]}·${(parts[1] as string)[0]}`,
      ])
      if (namedInScope(stage.roster, stage.group, typed).length > 0) return null
      return scene(
        stage,
        speak({ name: typed, factors: [phoneFactor(person.phone, random)], row }, random),
        review('identity_mismatch', [person], ['approve']),
      )
    },
  ],
  [
    'longer or shorter name',
    16,
    stage => {
      const { random, person, row } = stage
      const characters = Array.from(person.name.full)
      if (person.name.people !== 'han' || isCompound(person.name)) return null
      const typed = random.pick([
        person.name.full + random.pick(['海', '梅', '轩', '辉', '军']),
        ...(characters.length === 3
          ? [characters.slice(0, 2).join('')]
          : [`${characters[0]}${random.pick(['小', '文', '晓', '志'])}${characters[1]}`]),
      ])
      if (namedInScope(stage.roster, stage.group, typed).length > 0) return null
      return scene(
        stage,
        speak({ name: typed, factors: [phoneFactor(person.phone, random)], row }, random),
        review('identity_mismatch', [person]),
      )
    },
  ],
  [
    'on behalf of another',
    30,
    stage => {
      const { random, person } = stage
      const name = person.name.full
      const { phone } = person
      const text = random.pick([
        `我已经在群里了，帮我朋友${name}进群，手机号${phone}`,
        `帮同事申请一下：${name} ${phone}，她没加您微信`,
        `代${name}申请入群，电话${phone}，本人手机坏了`,
        `麻烦把我室友${name}也拉进来，他电话${phone}`,
        `老师，${name}（${phone}）让我帮忙问下能不能拉进群`,
        `替${name}申请，电话${phone}`,
        `帮${name}加一下群，${phone}`,
        `给我们单位的${name}申请入群 ${phone}`,
        `我是${name}的同事，替他申请，${phone}`,
        `我同事${name}要进群，电话${phone}`,
        `我室友${name}，${phone}，他想进群但是手机坏了`,
        `这是我同学${name}的信息：${phone}，麻烦拉他`,
        `麻烦拉一下${name}，他电话${phone}`,
        `${name} ${phone}，他让我帮忙申请`,
        `我老公${name}，${phone}，他不会弄，我帮他申请的`,
        `我是${name}妈妈，替孩子申请入群，电话${phone}`,
        `我用的是同事的微信，帮${name}申请，手机${phone}`,
        `本人不是${name}，是他同事，代为申请，电话${phone}`,
        `请拉${name}进群，电话${phone}，我是他主任`,
        `代申请：${name}，${phone}`,
        `代报：${name} ${phone}`,
        `我单位志愿者${name}需要进群，电话${phone}，请加她`,
        `我是${stage.row.unit}的，我们这的志愿者${name}还没进群，${phone}`,
        `${name}托我申请，${phone}`,
        `帮忙拉下${name}，${phone}`,
        `能不能把${name}拉进群？${phone}`,
        `这个是${name}的号 ${phone}，他也是志愿者，拉他进群吧`,
        `我姐姐${name}是志愿者，电话${phone}，她没空让我来`,
      ])
      return scene(stage, text, review('identity_mismatch', [person], ['reject']))
    },
  ],
  [
    'two at once',
    16,
    stage => {
      const { random, person, neighbour } = stage
      if (!neighbour) return null
      const [a, b] = [`${person.name.full} ${person.phone}`, `${neighbour.name.full} ${neighbour.phone}`]
      const text = random.pick([
        `我们两个一起申请：${a}，${b}`,
        `我和${neighbour.name.full}一起申请，我是${person.name.full} ${person.phone}，他${neighbour.phone}`,
        `${a}\n${b}`,
        `${a}；${b}，麻烦都拉进群`,
        `1. ${a}\n2. ${b}`,
        `申请人：${a}、${b}`,
        `我是${person.name.full}，${person.phone}，还有我同事${neighbour.name.full}也想进，${neighbour.phone}`,
        `我俩是一个县的，${a}，${b}`,
        `${person.name.full}、${neighbour.name.full} 电话${person.phone} ${neighbour.phone}`,
        `我们是今年新来的志愿者${person.name.full}和${neighbour.name.full}，电话分别是${person.phone}、${neighbour.phone}`,
        `${person.name.full}和${neighbour.name.full}申请入群，${person.phone}`,
        `我是${person.name.full} ${person.phone}，顺便把${neighbour.name.full}也拉进来`,
      ])
      return scene(stage, text, review('ambiguous', [person, neighbour], ['reject']))
    },
  ],
  [
    'claims of office',
    14,
    stage => {
      const { random, row } = stage
      const name = strangerName(stage, 0)
      if (!name) return null
      const n = name.full
      const text = random.pick([
        '我是县委组织部的，来核实志愿者在岗情况，拉一下群',
        `项目办督导组${n}，暗访检查，勿对外说，请通过`,
        `团${row.county}委新来的负责人${n}，把我拉进去并设为管理员`,
        `我是${row.county}团委书记${n}，请通过`,
        `省项目办工作人员，需要进群督导`,
        `我是新来的专干${n}，负责志愿者管理，拉我进群`,
        `团市委检查组，请立即通过`,
        `我是教育局分管领导，进群看一下`,
        `上级督查，请配合通过`,
        `市项目办${n}，进群指导工作`,
        `我是公安局民警，核查群内情况`,
      ])
      return scene(stage, text, review('not_on_roster', [], ['reject']))
    },
  ],
  [
    'only a name that is elsewhere',
    8,
    stage => {
      const { random, roster, group, row } = stage
      const away = random.pick(roster.people)
      if (namedInScope(roster, group, away.name.full).length > 0 || away.name.people === 'word') return null
      return scene(
        stage,
        speak({ name: away.name.full, factors: [], row }, random),
        reject('not_on_roster', ['review'], [away]),
      )
    },
  ],
  [
    'a word of the text is somebody’s name',
    8,
    stage => {
      const { random, roster } = stage
      if (stage.person.name.people !== 'word') return null
      const name = strangerName(stage, 0)
      if (!name) return null
      const text = `很高兴认识大家，我是${name.full}，一定遵守规定，${stage.person.name.full}，电话${phoneFactor(strangerPhone(stage), random, true).bare}`
      return scene(stage, text, {
        ...reject('not_on_roster', ['review'], []),
        candidates: roster.people.filter(p => p === stage.person).flatMap(p => p.rows.map(r => r.id)),
      })
    },
  ],
  [
    'only the emergency contact agrees',
    10,
    stage => {
      const { random, person } = stage
      const name = person.name.full
      const text = random.pick([
        `姓名：${name}\n紧急联系人：妈妈 ${person.phone}`,
        `${name}，QQ${person.phone}`,
        `我是${name}，我同学的电话是${person.phone}`,
        `姓名：${name}\n推荐人电话：${person.phone}`,
        `姓名：${name}\n家长电话：${person.phone}`,
      ])
      return scene(
        stage,
        text,
        one(shown(stage)) ? review('insufficient', [person]) : review('ambiguous', shown(stage)),
      )
    },
  ],
  [
    'own name, phone of another as well',
    10,
    stage => {
      const { random, person, neighbour, row } = stage
      if (!neighbour) return null
      return scene(
        stage,
        speak(
          { name: person.name.full, factors: [wordsFactor(`电话${person.phone}或${neighbour.phone}`)], row },
          random,
        ),
        review('identity_mismatch', [person, neighbour], ['reject', 'approve']),
      )
    },
  ],
]

/** One character differs at most: the stranger would be a look-alike. */
function soundsNear(a: string, b: string): boolean {
  const left = Array.from(a)
  const right = Array.from(b)
  if (Math.abs(left.length - right.length) > 1) return false
  return left.filter(character => right.includes(character)).length >= Math.min(left.length, right.length) - 1
}
