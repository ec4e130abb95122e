import type { Regions } from '../../server/templates.ts'
import { chance } from './chance.ts'
import { inventIdNumber, inventName } from './corpus.ts'

/** How large the play is. The demo takes all of 榆林; the tests a small part of it. */
export interface Scale {
  counties: number
  /** Townships of a county at most. */
  townships: number
  youthGroupsATownship: number
  cadresATownship: number
  youthATownship: number
  volunteersABranch: number
}

export const wholeYulin: Scale = {
  counties: 12,
  townships: 100,
  youthGroupsATownship: 10,
  cadresATownship: 12,
  youthATownship: 97,
  volunteersABranch: 8,
}

export interface Player {
  name: string
  phone: string
  idNumber: string
  title: string
}

export interface TownshipCast {
  code: string
  name: string
  county: CountyCast
  /** The first three own the groups. */
  cadres: Player[]
  youth: Player[]
}

export interface CountyCast {
  code: string
  name: string
  officer: Player
  colleague: Player
  townships: TownshipCast[]
  /** 西部计划: the office and its branch. */
  office: Player
  branch: string
  secretary: Player
  volunteers: Player[]
}

export interface Cast {
  city: { code: string; name: string }
  cityOfficer: Player
  cityColleague: Player
  nationOffice: Player
  provinceOffice: Player
  cityOffice: Player
  counties: CountyCast[]
}

/** Invents everybody, the same people for the same seed. */
export function inventCast(regions: Regions, scale: Scale, seed = 2014): Cast {
  const luck = chance(seed)
  const yulin = regions.cities[0]
  if (!yulin) throw new Error('templates/regions has no city')
  let phones = 0
  const player = (title: string, taken: Set<string>, county = yulin.city.code): Player => ({
    name: inventName(luck.next, taken),
    phone: `1${luck.pick(['35', '38', '50', '59', '77', '87', '99'])}${String(10_000_000 + phones++ * 37).slice(0, 8)}`,
    idNumber: inventIdNumber(county, luck.next),
    title,
  })
  const officers = new Set<string>()
  const counties = yulin.counties.slice(0, scale.counties).map(county => {
    const volunteerNames = new Set<string>()
    const cast: CountyCast = {
      code: county.code,
      name: county.name,
      officer: player('团委副书记', officers),
      colleague: player('农村青年工作部部长', officers),
      townships: [],
      office: player('项目办主任', officers),
      branch: `${county.name}西部计划志愿者第一团支部`,
      secretary: player('团支部书记', volunteerNames, county.code),
      volunteers: Array.from({ length: scale.volunteersABranch }, () =>
        player('', volunteerNames, county.code),
      ),
    }
    const names = new Set<string>()
    cast.townships = county.townships.slice(0, scale.townships).map(({ code, name }) => ({
      code,
      name,
      county: cast,
      cadres: Array.from({ length: scale.cadresATownship }, (_, index) =>
        player(['团委书记', '团委副书记', '团委委员'][Math.min(index, 2)] as string, names, county.code),
      ),
      youth: Array.from({ length: scale.youthATownship }, () => player('', new Set(), county.code)),
    }))
    return cast
  })
  return {
    city: yulin.city,
    cityOfficer: player('青工农部部长', officers),
    cityColleague: player('青工农部副部长', officers),
    nationOffice: player('处长', officers),
    provinceOffice: player('青年志愿者部部长', officers),
    cityOffice: player('项目办主任', officers),
    counties,
  }
}

/** Head and rows of the two unit files and the two roster files that the demo imports, as an office would write them. */
export function castFiles(cast: Cast) {
  const ruralUnits = [
    [cast.city.code, cast.city.name, 'city-committee', ''],
    ...cast.counties.flatMap(county => [
      [county.code, county.name, 'county-committee', cast.city.code],
      ...county.townships.map(township => [township.code, township.name, 'township-committee', county.code]),
    ]),
  ]
  const volunteerUnits = [
    ['000000', '全国', 'national-office', ''],
    ['610000', '陕西省', 'province-office', '000000'],
    [cast.city.code, cast.city.name, 'city-office', '610000'],
    ...cast.counties.map(county => [county.code, county.name, 'county-office', cast.city.code]),
  ]
  const rural = (unit: string, role: string) => (person: Player) => [
    unit,
    person.name,
    person.phone,
    role,
    person.title,
    '在岗',
  ]
  const ruralRoster = [
    ['单位编码', '姓名', '手机号', '角色', '职务', '状态'],
    ...[cast.cityOfficer, cast.cityColleague].map(rural(cast.city.code, '农村战线团干部')),
    ...cast.counties.flatMap(county => [
      ...[county.officer, county.colleague].map(rural(county.code, '农村战线团干部')),
      ...county.townships.flatMap(township => township.cadres.map(rural(township.code, '乡镇团委成员'))),
    ]),
  ]
  const office = (place: string[], person: Player) => [
    ...place,
    '',
    person.name,
    person.phone,
    '',
    '项目办负责同志',
    person.title,
    '',
    '',
    '',
    '在岗',
  ]
  const member = (county: CountyCast, person: Player, role: string) => [
    '陕西省',
    cast.city.name,
    county.name,
    county.branch,
    person.name,
    person.phone,
    person.idNumber,
    role,
    person.title,
    '全国项目',
    '2026-08-01',
    '2027-07-31',
    '在岗',
  ]
  const volunteerRoster = [
    [
      '省份',
      '地市',
      '区县',
      '团支部',
      '姓名',
      '手机号',
      '身份证号',
      '角色',
      '职务',
      '人员类别',
      '服务开始日期',
      '服务结束日期',
      '状态',
    ],
    office(['全国', '', ''], cast.nationOffice),
    office(['陕西省', '', ''], cast.provinceOffice),
    office(['陕西省', cast.city.name, ''], cast.cityOffice),
    ...cast.counties.flatMap(county => [
      office(['陕西省', cast.city.name, county.name], county.office),
      member(county, county.secretary, '团支部书记'),
      ...county.volunteers.map(person => member(county, person, '')),
    ]),
  ]
  return { ruralUnits, volunteerUnits, ruralRoster: csv(ruralRoster), volunteerRoster: csv(volunteerRoster) }
}

function csv(rows: string[][]): string {
  return rows.map(row => row.join(',')).join('\r\n')
}
