import type { PairFigure, ProvinceRoster } from '../../../db/queries/quota-figures.ts'
import type { Quota } from '../../templates.ts'
import type { Thresholds } from './rules.ts'

/** So many of those of whom the roster says it. */
export interface Known {
  count: number
  of: number
}

/** A province's roster held against its quotas. Nothing is blocked by it: flags say where to look (三.1). */
export interface ProvinceCheck {
  /** Null: the roster has no data. */
  inProvince: Known | null
  bachelor: Known | null
  insuredDays: Known | null
  cover: Known | null
  flags: string[]
}

/**
 * Says what to look at in a province: numbers above the quotas, ratios (全国项目办发〔2020〕3号 三.1, 三.2), insurance (三.5),
 * posts (三.7). Where the roster lacks a column nothing is said of it.
 * @param quota of the year; null: there is none
 * @param pairs where the province's recruits come from
 */
export function checkProvince(
  roster: ProvinceRoster,
  quota: Quota | null,
  pairs: readonly PairFigure[],
  thresholds: Thresholds,
): ProvinceCheck {
  const known = (count: number, of: number): Known | null => (of === 0 ? null : { count, of })
  const inProvince = known(roster.inProvince, roster.recruitedInKnown)
  const bachelor = known(roster.bachelor, roster.degreeKnown)
  const insuredDays = known(roster.insuredDays, roster.insuredDaysKnown)
  const cover = known(roster.cover, roster.coverKnown)
  const scale = quota?.scale.areas.find(area => area.code === roster.code)
  const paired = new Set(
    quota?.pairs.halves
      .flat()
      .find(area => area.code === roster.code)
      ?.pairs.map(pair => pair.code) ?? [],
  )
  const strangers = pairs
    .filter(pair => pair.code === roster.code && !paired.has(pair.from))
    .reduce((sum, pair) => sum + pair.recruits, 0)
  const flags: string[] = []
  if (scale && roster.planned > scale.planned) flags.push(`超出规模 ${roster.planned - scale.planned} 人`)
  if (quota && !scale && roster.planned > 0) flags.push('没有这个省的指标')
  if (inProvince && inProvince.count / inProvince.of > thresholds.inProvince)
    flags.push(`省内招募超过 ${percent(thresholds.inProvince)}`)
  if (bachelor && bachelor.count / bachelor.of < thresholds.bachelor)
    flags.push(`本科不到 ${percent(thresholds.bachelor)}`)
  if (insuredDays && insuredDays.count < insuredDays.of)
    flags.push(`保险日期不够 ${insuredDays.of - insuredDays.count} 人`)
  if (cover && cover.count < cover.of) flags.push(`保额不够 ${cover.of - cover.count} 人`)
  if (roster.forbiddenPosts > 0) flags.push(`岗位请核对 ${roster.forbiddenPosts} 人`)
  if (quota && strangers > 0) flags.push(`非对口省份 ${strangers} 人`)
  if (roster.unsorted > 0) flags.push(`人员类别不明 ${roster.unsorted} 人`)
  return { inProvince, bachelor, insuredDays, cover, flags }
}

/** `0.7` as 70%. */
export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`
}

/** 73%（8/11） */
export function knownWords({ count, of }: Known): string {
  return `${percent(count / of)}（${count}/${of}）`
}
