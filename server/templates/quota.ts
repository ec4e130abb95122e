import { z } from 'zod'
import { id, repeated, source } from './common.ts'
import type { Programme } from './programme.ts'

/** 省级区划代码前两位; 66 is the 兵团 (`templates/regions/short-names.json`). */
const provinceCode = z.string().regex(/^\d{2}$/, 'must be the two digits of a province')
const heads = z.number().int().min(0)

const scaleNumbers = { planned: heads, graduateTeaching: heads, extended: heads, recruits: heads }

const servedArea = z.strictObject({
  name: z.string().min(1),
  code: provinceCode,
  pairs: z
    .array(
      z.strictObject({
        from: z.string().min(1),
        code: provinceCode,
        recruits: heads,
        note: z.string().min(1).optional(),
      }),
    )
    .min(1),
})

/** What a programme means to send in a year: 附件1 (by service province) and 附件2 (whom each recruits where) as printed. */
export const quotaSchema = z.strictObject({
  id,
  programme: id,
  /** The year in which the volunteers come; their term runs into the next. */
  year: z.number().int().min(2003).max(2100),
  source,
  scale: z.strictObject({
    attachment: z.string().min(1),
    title: z.string().min(1),
    heads: z.array(z.string().min(1)).length(5),
    areas: z.array(z.strictObject({ name: z.string().min(1), code: provinceCode, ...scaleNumbers })).min(1),
    total: z.strictObject(scaleNumbers),
  }),
  pairs: z.strictObject({
    attachment: z.string().min(1),
    title: z.string().min(1),
    heads: z.array(z.string().min(1)).length(4),
    /** The left and the right half of the printed table. */
    halves: z.array(z.array(servedArea).min(1)).length(2),
  }),
})

export type Quota = z.infer<typeof quotaSchema>
export type ScaleNumbers = Quota['scale']['total']
export const scaleNumberIds = ['planned', 'graduateTeaching', 'extended', 'recruits'] as const

/** Checks that the numbers of a year's quotas agree with each other, as printed. @returns what does not */
export function checkQuota({ scale, pairs }: Quota): string[] {
  const { areas, total } = scale
  const paired = pairs.halves.flat()
  const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0)
  return [
    ...repeated(areas.map(area => area.code)).map(code => `scale.areas: ${code} stands twice`),
    ...repeated(paired.map(area => area.code)).map(code => `pairs.halves: ${code} stands twice`),
    ...scaleNumberIds.flatMap(number => {
      const sum = sumOf(areas.map(area => area[number]))
      return sum === total[number]
        ? []
        : [`scale.total.${number}: is ${total[number]}, its areas make ${sum}`]
    }),
    ...[...areas, { name: 'total', ...total }]
      .filter(area => area.planned !== area.graduateTeaching + area.extended + area.recruits)
      .map(area => `scale.${area.name}: its parts do not make ${area.planned}`),
    ...areas.flatMap(area => {
      const own = paired.find(each => each.code === area.code)
      const sum = sumOf((own?.pairs ?? []).map(pair => pair.recruits))
      return sum === area.recruits ? [] : [`pairs.${area.name}: make ${sum}, the scale says ${area.recruits}`]
    }),
    ...paired
      .filter(area => !areas.some(each => each.code === area.code))
      .map(area => `pairs.${area.name}: is not in the scale`),
    ...paired.flatMap(area =>
      repeated(area.pairs.map(pair => pair.code)).map(code => `pairs.${area.name}: ${code} stands twice`),
    ),
  ]
}

/** Checks that the documents of a quota's source are the programme's. @returns what is wrong */
export function checkQuotaWith(quota: Quota, programme: Programme): string[] {
  return programme.documents.some(document => quota.source.startsWith(document.number))
    ? []
    : [`source: ${quota.source} names no document of ${programme.id}`]
}
