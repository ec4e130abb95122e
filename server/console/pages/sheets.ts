import { messagesByMonth } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { type Html, html } from '../../http/html.ts'
import { chartSize, chartWords, messageChart } from '../message-chart.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const CHART_MONTHS = 6

/**
 * What came before `/console/forms`: the addresses of the 跟踪摸底表 that people have kept lead there. Its chart stays here.
 */
export function sheetPages(routes: Routes): void {
  routes.get('/console/sheets', 'manager', ({ request, reply }) => {
    const { month } = request.query as { month?: unknown }
    const query = new URLSearchParams({ form: 'tracking-sheet' })
    if (typeof month === 'string') query.set('period', month)
    return reply.redirect(`/console/forms?${query}`, 301)
  })
  routes.get('/console/sheets/:unitId/chart.svg', unitPolicy, async ({ rt, thing: unit, reply }) => {
    if (!rt.templates.programme(unit.programme).messageCategories) throw new NotFound()
    const months = chartMonths(monthOf(rt.clock.now()))
    const figures = await messagesByMonth(rt.db, unit.path, months[0] as string, months.at(-1) as string)
    return reply.type('image/svg+xml; charset=utf-8').send(await messageChart(months, figures))
  })
  routes.get('/console/sheets/:unitId/:month', unitPolicy, view => view.reply.redirect(newAddress(view), 301))
  routes.get('/console/sheets/:unitId/:month/xlsx', unitPolicy, view =>
    view.reply.redirect(`${newAddress(view)}/xlsx`, 301),
  )
}

/** @throws NotFound when the path names no month */
function newAddress(view: View<UnitRow>): string {
  const { month = '' } = view.request.params as { month?: string }
  if (!/^20\d\d-(0[1-9]|1[0-2])$/.test(month)) throw new NotFound()
  return `/console/forms/tracking-sheet/${view.thing.id}/${month}`
}

function chartMonths(last: string): string[] {
  return Array.from({ length: CHART_MONTHS }, (_, at) => addMonths(last, at + 1 - CHART_MONTHS))
}

/** The messages of the last months as a picture, for a unit's page. */
export async function chartPart({ rt, thing: unit }: View<UnitRow>): Promise<Html> {
  const months = chartMonths(monthOf(rt.clock.now()))
  const figures = await messagesByMonth(rt.db, unit.path, months[0] as string, months.at(-1) as string)
  return html`<section class="screen"><h2>近 ${CHART_MONTHS} 个月发送微信条数</h2>
<p class="soft">含县级直属的群。</p>
<img class="chart" src="/console/sheets/${unit.id}/chart.svg" width="${chartSize.width}" height="${chartSize.height}" alt="${chartWords(months, figures)}"></section>`
}
