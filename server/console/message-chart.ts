import type { MonthFigure } from '../../db/queries/records.ts'
import { CATEGORIES } from '../domain/messages/categories.ts'
import { monthWords } from './parts.ts'

/** Told apart also by those who see red and green alike, and in print. */
const colours = ['#1a56a8', '#e08a00', '#2e9e59', '#8c1d18', '#7a8594']

/** Small, so that the letters can be read where it is shrunk to a phone. */
export const chartSize = { width: 560, height: 300 }

/**
 * Messages by month and category as stacked bars, in SVG: drawn on the server, so that the page needs no script for it.
 * @param months `YYYY-MM`, from left to right
 */
export async function messageChart(months: string[], figures: MonthFigure[]): Promise<string> {
  // a megabyte of code, loaded with the first chart; its hundreds of single modules take Node seconds
  const echarts = await import('echarts/dist/echarts.esm.min.mjs')
  const count = new Map(figures.map(each => [`${each.month} ${each.category}`, each.count]))
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...chartSize })
  try {
    chart.setOption({
      animation: false,
      color: colours,
      textStyle: { fontFamily: 'PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Noto Sans SC, sans-serif' },
      grid: { left: 48, right: 12, top: 64, bottom: 32 },
      legend: { top: 8, itemWidth: 14, itemGap: 14, textStyle: { fontSize: 15 } },
      xAxis: { type: 'category', data: months.map(shortMonth), axisLabel: { fontSize: 15, interval: 0 } },
      yAxis: {
        type: 'value',
        name: '条',
        minInterval: 1,
        nameTextStyle: { fontSize: 14 },
        axisLabel: { fontSize: 14 },
      },
      series: CATEGORIES.map(category => ({
        name: category,
        type: 'bar' as const,
        stack: 'all',
        barMaxWidth: 48,
        data: months.map(month => count.get(`${month} ${category}`) ?? 0),
      })),
    })
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}

/** With its year only where that is not clear from the month before it. */
function shortMonth(month: string, at: number): string {
  const words = monthWords(month)
  return at === 0 || month.endsWith('-01') ? words : words.slice(5)
}

/** The same in words, for those who do not see it. */
export function chartWords(months: string[], figures: MonthFigure[]): string {
  const of = (month: string) =>
    figures.filter(each => each.month === month).reduce((sum, each) => sum + each.count, 0)
  return `近 ${months.length} 个月发送微信条数：${months.map(month => `${monthWords(month)} ${of(month)} 条`).join('，')}`
}
