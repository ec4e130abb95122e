import type { ListedLateChange } from '../../../db/queries/months.ts'
import { dayOf } from '../../clock.ts'

/** What a late change did to the figures, in words: 致富信息 -3、其他 +3. */
export function effectWords(effect: Record<string, number>): string {
  return (
    Object.entries(effect)
      .filter(([, difference]) => difference !== 0)
      // the database keeps the keys in an order of its own
      .sort(([one], [other]) => order.indexOf(one) - order.indexOf(other))
      .map(([figure, difference]) => `${figureName(figure)} ${difference > 0 ? '+' : ''}${difference}`)
      .join('、')
  )
}

/** The figures of the tracking sheet as its columns call them; those called 其他 say of what, because they stand alone here. */
const names: Record<string, string> = {
  branches: '团支部数',
  cadres: '团干部数',
  youth: '团员青年数',
  groups: '微信群数',
  'membersHome.farming': '在乡务农',
  'membersHome.wageWork': '在乡务工',
  'membersHome.business': '在乡经商',
  'membersHome.publicSector': '在乡行政事业单位',
  'membersHome.other': '在乡其他',
  'membersAway.wageWork': '外出务工',
  'membersAway.schooling': '外出就学',
  'membersAway.startup': '外出创业',
  'membersAway.other': '外出其他',
  'messages.policy': '政策法规',
  'messages.income': '致富信息',
  'messages.news': '新闻娱乐',
  'messages.services': '便民服务',
  'messages.other': '其他（微信）',
  'activities.policyTalks': '政策宣讲',
  'activities.skillsTraining': '技能培训',
  'activities.cultureSports': '文体娱乐',
  'activities.matchmaking': '婚恋交友',
  'activities.other': '其他（活动）',
}

const order = Object.keys(names)

export function figureName(figure: string): string {
  return names[figure] ?? figure
}

/** The late changes of a sheet in one line; the rest of many are counted. */
export function lateWords({
  total,
  newest,
}: {
  total: number
  newest: Pick<ListedLateChange, 'at' | 'unitName' | 'effect' | 'reason'>[]
}): string {
  const each = newest.map(change => {
    const day = dayOf(change.at)
    return `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日${change.unitName} ${effectWords(change.effect)}（${change.reason}）`
  })
  return `${total} 处：${each.join('；')}${total > newest.length ? '……' : ''}`
}
