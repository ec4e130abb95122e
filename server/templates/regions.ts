import { z } from 'zod'
import { repeated } from './common.ts'

const extractHead = {
  source: z.string(),
  package: z.string(),
  version: z.string(),
  licence: z.string(),
  retrievedOn: z.iso.date(),
}

const place = { code: z.string().regex(/^\d{6}$/), name: z.string().min(1) }
const county = z.strictObject(place)
const city = z.strictObject({ ...place, counties: z.array(county) })
const province = z.strictObject({ ...place, cities: z.array(city).min(1) })
const township = z.strictObject({ code: z.string().regex(/^\d{9}$/), name: z.string().min(1) })

export const provincesSchema = z.strictObject({ ...extractHead, provinces: z.array(province).min(1) })

export const cityRegionSchema = z.strictObject({
  ...extractHead,
  province: z.strictObject(place),
  city: z.strictObject(place),
  counties: z.array(z.strictObject({ ...place, townships: z.array(township) })).min(1),
})

export type Province = z.infer<typeof province>
export type City = z.infer<typeof city>
export type County = z.infer<typeof county>
export type Township = z.infer<typeof township>
export type CityRegion = z.infer<typeof cityRegionSchema>

/** Finds codes that occur twice or do not begin with the code of the place above. */
export function checkProvinces({ provinces }: z.infer<typeof provincesSchema>): string[] {
  const problems: string[] = []
  for (const province of provinces) {
    for (const city of province.cities) {
      if (city.code.slice(0, 2) !== province.code.slice(0, 2))
        problems.push(`city ${city.code} is not in ${province.code}`)
      for (const { code } of city.counties)
        if (code.slice(0, 4) !== city.code.slice(0, 4)) problems.push(`county ${code} is not in ${city.code}`)
    }
  }
  // 东莞, 中山 and 儋州 have no counties: the bureau lists each once more below itself, under its own code
  const cities = provinces.flatMap(each => each.cities)
  const levels = [provinces, cities, cities.flatMap(each => each.counties)]
  return [
    ...problems,
    ...levels.flatMap(level => repeated(codesOf(level))).map(code => `${code} occurs twice`),
  ]
}

/** As `checkProvinces`, and every county of the city has its townships. */
export function checkCityRegion(region: CityRegion): string[] {
  const problems: string[] = []
  if (region.city.code.slice(0, 2) !== region.province.code.slice(0, 2))
    problems.push(`city ${region.city.code} is not in ${region.province.code}`)
  for (const { code, name, townships } of region.counties) {
    if (code.slice(0, 4) !== region.city.code.slice(0, 4)) problems.push(`county ${code} is not in the city`)
    if (townships.length === 0) problems.push(`county ${name} has no townships`)
    const strays = townships.filter(township => township.code.slice(0, 6) !== code)
    if (strays.length > 0) problems.push(`townships not in ${code}: ${codesOf(strays).join(', ')}`)
  }
  const codes = region.counties.flatMap(({ code, townships }) => [code, ...codesOf(townships)])
  return [...problems, ...repeated(codes).map(code => `${code} occurs twice`)]
}

function codesOf(places: readonly { code: string }[]): string[] {
  return places.map(place => place.code)
}
