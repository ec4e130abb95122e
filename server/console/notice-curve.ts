import { dayOf, timeOf } from '../clock.ts'

/** How a notice has come into groups over time. */
export interface Curve {
  issuedAt: Date
  deadlineAt: Date
  /** Up to when it is drawn. */
  until: Date
  groups: number
  /** Groups that had it by a moment; the first is the issue itself. */
  posted: [at: Date, count: number][]
  /** Owners' words that they had seen it by a moment. */
  received: [at: Date, count: number][]
  /** What the second line is, where it is not owners' words. */
  receivedName?: string
}

/** A picture for a desk, and one whose letters can be read on a phone. */
export const curveSizes = {
  desk: { width: 760, height: 280, ticks: 7 },
  phone: { width: 340, height: 240, ticks: 4 },
} as const
export type CurveSize = keyof typeof curveSizes

const MINUTE_MS = 60_000
/** Stretches between two marks of time that people can read, in minutes. */
const STRETCHES = [1, 2, 5, 10, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 43_200]

/** Draws the curve as an SVG picture, the same each time for the same figures. */
export async function drawCurve(curve: Curve, size: CurveSize): Promise<string> {
  // the library takes a second to load, so it is loaded with the first picture and not at start
  const [core, { LineChart }, { GridComponent, LegendComponent, MarkLineComponent }, { SVGRenderer }] =
    await Promise.all([
      import('echarts/core'),
      import('echarts/charts'),
      import('echarts/components'),
      import('echarts/renderers'),
    ])
  core.use([LineChart, GridComponent, LegendComponent, MarkLineComponent, SVGRenderer])
  const { width, height, ticks } = curveSizes[size]
  const chart = core.init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption(optionsOf(curve, ticks))
    return asPicture(chart.renderToSVGString())
  } finally {
    // it would keep the process alive
    chart.dispose()
  }
}

/** Without what only a page would use (classes for the mouse), and with ids that do not count the pictures drawn so far. */
function asPicture(svg: string): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, 'zr-')
}

/** @param ticks marks of time at most */
function optionsOf(curve: Curve, ticks: number) {
  const { issuedAt, deadlineAt, until, groups } = curve
  const line = (name: string, color: string, points: [Date, number][]) => ({
    name,
    type: 'line' as const,
    step: 'end' as const,
    symbol: 'none',
    lineStyle: { width: 2.5, color },
    itemStyle: { color },
    data: points.map(([at, count]) => [at.getTime(), count]),
  })
  const spanMs = until.getTime() - issuedAt.getTime()
  const isShort = spanMs < 36 * 3600_000
  const stretch = STRETCHES.find(each => spanMs / (each * MINUTE_MS) <= ticks) ?? Number.POSITIVE_INFINITY
  return {
    animation: false,
    textStyle: { fontFamily: 'sans-serif', fontSize: 13, color: '#1d2129' },
    grid: { left: 40, right: 24, top: 40, bottom: 32 },
    legend: { top: 4, itemHeight: 3, textStyle: { fontSize: 13, color: '#1d2129' } },
    xAxis: {
      type: 'value' as const,
      min: issuedAt.getTime(),
      max: until.getTime(),
      interval: Math.min(stretch * MINUTE_MS, spanMs),
      axisLabel: {
        color: '#5b6470',
        hideOverlap: true,
        showMaxLabel: false,
        formatter: (at: number) => momentLabel(new Date(at), isShort),
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value' as const,
      min: 0,
      max: Math.max(groups, 1),
      minInterval: 1,
      axisLabel: { color: '#5b6470' },
      splitLine: { lineStyle: { color: '#dfe3e8' } },
    },
    series: [
      {
        ...line('已到群', '#17703a', curve.posted),
        areaStyle: { color: '#2e9e59', opacity: 0.14 },
        ...(deadlineAt <= until && {
          markLine: {
            silent: true,
            symbol: 'none',
            label: { formatter: '截止', color: '#a3150f' },
            lineStyle: { color: '#cf2a22', type: 'dashed' as const },
            data: [{ xAxis: deadlineAt.getTime() }],
          },
        }),
      },
      line(curve.receivedName ?? '群主说已看到', '#8a5300', curve.received),
    ],
  }
}

function momentLabel(at: Date, isShort: boolean): string {
  const day = dayOf(at)
  const date = `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日`
  return isShort ? `${Number(day.slice(8, 10))}日 ${timeOf(at)}` : date
}
