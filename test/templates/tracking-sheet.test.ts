import { describe, expect, it } from 'vitest'
import { TRACKING_FIGURES } from '../../server/domain/reports/tracking-sheet.ts'
import { loadTemplates } from '../../server/templates.ts'

const templates = loadTemplates()
const layout = templates.form('tracking-sheet')

describe('the layout of 跟踪摸底表', () => {
  it('has the 24 printed columns in their order', () => {
    expect(layout.columns.map(column => column.path.join(' '))).toEqual([
      '乡镇名称',
      '团支部数',
      '团干部数',
      '团员青年数',
      '微信群数',
      '微信群内成员数(人) 在乡 务农',
      '微信群内成员数(人) 在乡 务工',
      '微信群内成员数(人) 在乡 经商',
      '微信群内成员数(人) 在乡 行政事业单位',
      '微信群内成员数(人) 在乡 其他',
      '微信群内成员数(人) 外出 务工',
      '微信群内成员数(人) 外出 就学',
      '微信群内成员数(人) 外出 创业',
      '微信群内成员数(人) 外出 其他',
      '发送微信数(条) 政策法规',
      '发送微信数(条) 致富信息',
      '发送微信数(条) 新闻娱乐',
      '发送微信数(条) 便民服务',
      '发送微信数(条) 其他',
      '线下活动开展情况(次) 政策宣讲',
      '线下活动开展情况(次) 技能培训',
      '线下活动开展情况(次) 文体娱乐',
      '线下活动开展情况(次) 婚恋交友',
      '线下活动开展情况(次) 其他',
    ])
  })

  it('gives every figure one column', () => {
    expect(layout.columns.map(column => column.figure)).toEqual(['township', ...TRACKING_FIGURES])
  })

  it('counts each occupation and category of the programme under the heading of that name', () => {
    const {
      residences = [],
      messageCategories = [],
      activityCategories = [],
    } = templates.programme('qingnong')
    const pathOf = (figure: string) => layout.columns.find(column => column.figure === figure)?.path
    for (const { name: residence, occupations } of residences)
      for (const { name, figure } of occupations)
        expect(pathOf(figure)).toEqual(['微信群内成员数(人)', residence, name])
    for (const { name, figure } of messageCategories) expect(pathOf(figure)).toEqual(['发送微信数(条)', name])
    for (const { name, figure } of activityCategories)
      expect(pathOf(figure)).toEqual(['线下活动开展情况(次)', name])
  })
})
