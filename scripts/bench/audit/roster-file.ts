import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { UnitInput } from '../../../server/domain/units/import-units.ts'
import { chance } from '../../demo/chance.ts'

interface Region {
  code: string
  name: string
  cities?: Region[]
  counties?: Region[]
}

const NATION = '000000'
const SURNAMES =
  '王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢'
const GIVEN = '思雨晓东嘉怡子涵浩然梓萱宇轩欣怡志强建国丽娜海燕文博雪梅俊杰佳琪天宇雅婷明哲静怡春华秋实'
const BRANCH_SIZE = 30
const ROWS_AT_ONCE = 2000
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

export const HEADER =
  '省份,地市,区县,团支部,姓名,手机号,身份证号,角色,职务,人员类别,服务单位,派出高校,服务开始日期,服务结束日期,状态\n'

/** The offices of the nation down to its counties, as `importUnits` takes them, with each county's full path of names. */
export function nationalOffices(): { units: UnitInput[]; counties: { path: string; code: string }[] } {
  const file = join(import.meta.dirname, '../../../templates/regions/provinces.json')
  const { provinces } = JSON.parse(readFileSync(file, 'utf8')) as { provinces: Region[] }
  const units: UnitInput[] = [{ code: NATION, name: '全国', kind: 'national-office', parentCode: null }]
  const counties: { path: string; code: string }[] = []
  for (const province of provinces) {
    units.push({ code: province.code, name: province.name, kind: 'province-office', parentCode: NATION })
    for (const city of province.cities ?? []) {
      units.push({ code: city.code, name: city.name, kind: 'city-office', parentCode: province.code })
      for (const county of city.counties ?? []) {
        // a few cities without counties stand there as their own
        if (county.code === city.code) continue
        units.push({ code: county.code, name: county.name, kind: 'county-office', parentCode: city.code })
        counties.push({ path: `${province.name},${city.name},${county.name}`, code: county.code })
      }
    }
  }
  return { units, counties }
}

/** Somebody of the invented roster, the same for the same number. */
export function volunteer(index: number): { name: string; phone: string; idNumber: string } {
  const dice = chance(index + 1)
  const name =
    dice.pick([...SURNAMES]) + dice.pick([...GIVEN]) + (dice.next() < 0.8 ? dice.pick([...GIVEN]) : '')
  // every index has a phone and a number of its own
  const phone = `13${String((index * 7919) % 1_000_000_000).padStart(9, '0')}`
  const born = new Date(Date.UTC(1996, 0, 1 + (Math.floor(index / 999) % 2900))).toISOString().slice(0, 10)
  const body = `${110101 + Math.floor(index / 2_897_100)}${born.replaceAll('-', '')}${String(index % 999).padStart(3, '0')}`
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * Number(body[at]), 0)
  return { name, phone, idNumber: `${body}${'10X98765432'[sum % 11]}` }
}

/**
 * Writes a roster of volunteers in branches of thirty, county by county.
 * @param change what a row says instead; null leaves it out
 */
export async function writeRoster(
  path: string,
  rows: number,
  options: { from?: number; post?: (index: number) => string } = {},
): Promise<void> {
  const { counties } = nationalOffices()
  const { from = 0, post = index => `第${index % 97}中学` } = options
  function* lines(): Generator<string> {
    yield HEADER
    let text = ''
    for (let index = from; index < from + rows; index++) {
      const branch = Math.floor(index / BRANCH_SIZE)
      const county = counties[branch % counties.length] as { path: string }
      const { name, phone, idNumber } = volunteer(index)
      const role = index % BRANCH_SIZE === 0 ? '团支部书记' : ''
      text += `${county.path},第${Math.floor(branch / counties.length) + 1}团支部,${name},${phone},${idNumber},${role},,全国项目,${post(index)},西北大学,2026-08-01,2027-07-31,在岗\n`
      if (index % ROWS_AT_ONCE !== 0) continue
      yield text
      text = ''
    }
    yield text
  }
  await pipeline(lines(), createWriteStream(path))
}
