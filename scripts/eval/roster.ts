import regions from '../../templates/regions/provinces.json' with { type: 'json' }
import { newIdNumber, newPhone } from './digits.ts'
import { asOnTheSheet, makeName, type PersonName } from './names.ts'
import type { Random } from './random.ts'

export interface Place {
  province: string
  city: string
  county: string
}

/** One line of the sheet. `id` counts from 1 for the first line under the header. */
export interface SheetRow extends Place {
  id: number
  name: string
  sex: string
  phone: string
  idNumber: string
  wechat: string
  branch: string
  category: string
  unit: string
  school: string
  startsOn: string
  endsOn: string
  status: '在岗' | '待派遣' | '离岗'
}

/** One invented human being, with what is true of them. */
export interface Person {
  name: PersonName
  phone: string
  idNumber: string
  wechat: string | null
  rows: SheetRow[]
}

export interface SetGroup {
  id: string
  name: string
  level: 'county' | 'city' | 'province' | 'branch'
  province: string | null
  city: string | null
  county: string | null
  branch: string | null
  categories: string[] | null
}

export interface Roster {
  people: Person[]
  rows: SheetRow[]
  groups: SetGroup[]
  /** WeChat ids in each group, by group id. */
  members: Map<string, Set<string>>
}

const WEST =
  '陕西省 甘肃省 青海省 宁夏回族自治区 新疆维吾尔自治区 西藏自治区 四川省 云南省 贵州省 广西壮族自治区 内蒙古自治区 重庆市 海南省'.split(
    ' ',
  )
/** Places whose names mislead: twins in other cities, a city and a county of one name. */
const MISLEADING = [
  '城关区',
  '城中区',
  '新城区',
  '和田市',
  '和田县',
  '伊宁市',
  '伊宁县',
  '临夏市',
  '临夏县',
  '喀什市',
]
const CATEGORIES = [
  ['全国项目', 62],
  ['地方项目', 20],
  ['研究生支教团', 9],
  ['延期', 9],
] as const
export const UNITS =
  '教育局 水利局 财政局 民政局 司法局 统计局 商务局 残联 团委 妇联 人民法院 委宣传部 农业农村局 乡村振兴局 卫生健康局 文化和旅游局 融媒体中心 政务服务中心 林业和草原局 人民医院 第一中学 第二小学 石桥镇人民政府 团结乡中心小学 东风镇卫生院 青年路街道办事处 龙泉镇初级中学 社会工作部'.split(
    ' ',
  )
export const SCHOOLS =
  '西北大学 延安大学 长安大学 清华大学 河南大学 榆林学院 西藏大学 青海大学 石河子大学 塔里木大学 山东师范大学 东北师范大学 大连民族大学 安徽师范大学 宝鸡文理学院 华南农业大学 西安电子科技大学'.split(
    ' ',
  )

const WEST_PROVINCE_SHARE: Record<string, number> = {
  新疆维吾尔自治区: 0.65,
  西藏自治区: 0.7,
  内蒙古自治区: 0.25,
  四川省: 0.4,
  青海省: 0.3,
}

function allPlaces(): Place[] {
  const places = regions.provinces
    .filter(province => WEST.includes(province.name))
    .flatMap(province =>
      province.cities.flatMap(city =>
        city.counties
          .filter(county => !/市辖区|群岛/.test(county.name))
          .map(county => ({
            province: province.name,
            city: /^(?:市辖区|县|省直辖|自治区直辖)/.test(city.name) ? province.name : city.name,
            county: county.name,
          })),
      ),
    )
  places.push({ province: '新疆生产建设兵团', city: '第八师', county: '石河子市' })
  places.push({ province: '新疆生产建设兵团', city: '第三师', county: '图木舒克市' })
  return places
}

function termOf(random: Random): Pick<SheetRow, 'startsOn' | 'endsOn' | 'status'> {
  return random.weighted<Pick<SheetRow, 'startsOn' | 'endsOn' | 'status'>>([
    [{ startsOn: '2025-08-01', endsOn: '2026-07-31', status: '在岗' }, 58],
    [{ startsOn: '2024-08-01', endsOn: '2026-07-31', status: '在岗' }, 14],
    [{ startsOn: '2026-08-01', endsOn: '2027-07-31', status: '待派遣' }, 8],
    [{ startsOn: '2026-06-18', endsOn: '2027-06-30', status: '待派遣' }, 1],
    [{ startsOn: '2024-08-01', endsOn: '2025-07-31', status: '离岗' }, 7],
    [{ startsOn: '2025-08-01', endsOn: '2026-07-31', status: '离岗' }, 4],
    [{ startsOn: '2025-03-01', endsOn: '2026-05-31', status: '在岗' }, 3],
    [{ startsOn: '2026-07-08', endsOn: '2027-07-31', status: '在岗' }, 1.2],
    [{ startsOn: '2026-07-09', endsOn: '2027-07-31', status: '待派遣' }, 0.6],
    [{ startsOn: '2026-07-20', endsOn: '2027-07-31', status: '在岗' }, 0.6],
    [{ startsOn: '2025-09-01', endsOn: '2026-07-07', status: '在岗' }, 1.2],
    [{ startsOn: '2025-09-01', endsOn: '2026-07-08', status: '在岗' }, 1.2],
  ])
}

function aWechat(phone: string, random: Random): string | null {
  const letters = () =>
    Array.from({ length: 12 }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[random.int(0, 35)]).join('')
  return random.weighted<string | null>([
    [`wxid_${letters()}`, 6],
    [phone, 1.5],
    [`${letters().slice(0, 7)}${random.int(1000, 9999)}`, 3],
    [null, 1.5],
  ])
}

const spaced = (phone: string) => `${phone.slice(0, 3)} ${phone.slice(3, 7)} ${phone.slice(7)}`

/** An invented roster with the mess of real sheets, its groups and who is in them. */
export function makeRoster(random: Random, rowCount: number): Roster {
  const all = allPlaces()
  const chosen = all.filter(
    place => MISLEADING.includes(place.county) || place.province === '新疆生产建设兵团',
  )
  const wanted = Math.max(20, Math.min(160, Math.round(rowCount / 14)))
  for (const place of random.shuffle(all))
    if (chosen.length < wanted && !chosen.includes(place)) chosen.push(place)
  const people: Person[] = []
  const rows: SheetRow[] = []
  const phones = new Set<string>()
  while (rows.length < rowCount) {
    const place = random.pick(chosen)
    const twinOf = random.chance(0.05) && people.length > 0 ? random.pick(people) : null
    const name = twinOf ? twinOf.name : makeName(random, WEST_PROVINCE_SHARE[place.province] ?? 0.08)
    const home = twinOf && random.chance(0.6) ? (twinOf.rows[0] as SheetRow) : place
    let phone = newPhone(random)
    while (phones.has(phone)) phone = newPhone(random)
    phones.add(phone)
    const person: Person = {
      name,
      phone,
      idNumber: newIdNumber(random),
      wechat: aWechat(phone, random),
      rows: [],
    }
    const add = (at: Place, term: Pick<SheetRow, 'startsOn' | 'endsOn' | 'status'>, category: string) => {
      const row: SheetRow = {
        id: 0,
        name: asOnTheSheet(name, random),
        sex: random.pick(['男', '女']),
        phone: random.chance(0.03) ? spaced(phone) : phone,
        idNumber: random.chance(0.1) ? person.idNumber.toLowerCase() : person.idNumber,
        wechat: person.wechat ?? '',
        province: at.province,
        city: at.city,
        county: at.county,
        branch: `${at.county}西部计划志愿者第${random.chance(0.7) ? '一' : '二'}团支部`,
        category,
        unit: `${at.county}${random.pick(UNITS)}`,
        school: random.pick(SCHOOLS),
        ...term,
      }
      person.rows.push(row)
      rows.push(row)
    }
    const term = termOf(random)
    if (term.startsOn === '2025-08-01' && term.status === '在岗' && random.chance(0.14)) {
      const before = random.chance(0.15) ? random.pick(chosen) : home
      add(home, term, '延期')
      add(before, { startsOn: '2024-08-01', endsOn: '2025-07-31', status: '离岗' }, '全国项目')
    } else add(home, term, random.weighted(CATEGORIES))
    people.push(person)
  }
  const shuffled = random.shuffle(rows)
  for (const [i, row] of shuffled.entries()) row.id = i + 1
  const groups = makeGroups(chosen)
  return { people, rows: shuffled, groups, members: fillGroups(people, groups, random) }
}

function makeGroups(places: Place[]): SetGroup[] {
  const groups: SetGroup[] = []
  const any = { province: null, city: null, county: null, branch: null, categories: null }
  const add = (group: Omit<SetGroup, 'id'>) =>
    groups.push({ id: `G${String(groups.length + 1).padStart(3, '0')}`, ...group })
  for (const [i, place] of places.entries()) {
    const short = place.county.length > 2 ? place.county.slice(0, -1) : place.county
    const name = [
      `${short}西部计划大家庭`,
      `${place.county}西部计划志愿者群`,
      `2025-2026${short}志愿者工作群`,
      `${place.county}西部计划工作群`,
      `${place.city.slice(0, 2)}·${short}西部计划2025`,
      `${short}小伙伴`,
      `${place.county}团支部之家`,
    ][i % 7] as string
    add({ ...any, ...place, name, level: 'county' })
    if (i % 9 === 0)
      add({
        ...any,
        ...place,
        branch: `${place.county}西部计划志愿者第二团支部`,
        name: `${place.county}西部计划志愿者第二团支部`,
        level: 'branch',
      })
    if (i % 9 === 4)
      add({
        ...any,
        ...place,
        categories: ['全国项目', '研究生支教团', '延期'],
        name: `${place.county}西部计划（全国项目）群`,
        level: 'county',
      })
  }
  for (const city of new Set(places.map(place => `${place.province} ${place.city}`))) {
    const [province = '', name = ''] = city.split(' ')
    add({ ...any, province, city: name, name: `${name}西部计划志愿者交流群`, level: 'city' })
  }
  for (const province of new Set(places.map(place => place.province))) {
    add({ ...any, province, name: `${province.slice(0, 2)}西部计划志愿者总群`, level: 'province' })
    add({
      ...any,
      province,
      categories: ['研究生支教团'],
      name: `${province.slice(0, 2)}研究生支教团群`,
      level: 'province',
    })
  }
  return groups
}

export function isInScope(row: SheetRow, group: SetGroup): boolean {
  return (
    (group.province === null || group.province === row.province) &&
    (group.city === null || group.city === row.city) &&
    (group.county === null || group.county === row.county) &&
    (group.branch === null || group.branch === row.branch) &&
    (group.categories === null || group.categories.includes(row.category))
  )
}

function fillGroups(people: Person[], groups: SetGroup[], random: Random): Roster['members'] {
  const members = new Map(groups.map(group => [group.id, new Set<string>()]))
  for (const person of people) {
    if (person.wechat === null || !random.chance(0.25)) continue
    for (const group of groups)
      if (person.rows.some(row => isInScope(row, group)) && random.chance(0.8))
        members.get(group.id)?.add(person.wechat)
  }
  return members
}
