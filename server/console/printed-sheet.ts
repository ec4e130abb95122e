import type { PlannedCell, SheetPlan } from '../domain/reports/sheet-plan.ts'
import { type Html, html } from '../http/html.ts'

/** A form with many columns scrolls within itself on most screens; one with few fits a phone. */
const MANY_CELLS = 12
const FEW_CELLS = 3

/** A form as it is printed, drawn from the plan that its XLSX is written from. @param name says which form it is */
export function printedSheet(plan: SheetPlan, name: string): Html {
  const blocks = blocksOf(plan.cells)
  const most = Math.max(
    0,
    ...blocks.filter(block => block.isTable).flatMap(({ rows }) => rows.map(row => row.length)),
  )
  const size = most > MANY_CELLS ? ' wide' : most <= FEW_CELLS ? ' narrow' : ''
  return html`<div class="sheet${size}">${blocks.map(block =>
    block.isTable ? tableOf(plan, block.rows, name) : linesOf(block.rows.flat()),
  )}</div>`
}

interface Block {
  isTable: boolean
  rows: PlannedCell[][]
}

/** Rows from the top downwards, those of a table together. */
function blocksOf(cells: readonly PlannedCell[]): Block[] {
  const byRow = new Map<number, PlannedCell[]>()
  for (const cell of cells) byRow.set(cell.top, [...(byRow.get(cell.top) ?? []), cell])
  const blocks: Block[] = []
  for (const [, row] of [...byRow].sort(([a], [b]) => a - b)) {
    const ordered = row.sort((a, b) => a.left - b.left)
    const isTable = ordered.some(cell => cell.look.border)
    const last = blocks.at(-1)
    // a header below values begins another table
    const isAnother = isHeader(ordered) && last !== undefined && !isHeader(last.rows.at(-1) ?? [])
    if (last && last.isTable === isTable && !isAnother) last.rows.push(ordered)
    else blocks.push({ isTable, rows: [ordered] })
  }
  return blocks
}

const isHeader = (row: PlannedCell[]) => row.every(cell => cell.part === 'columnHead')

function linesOf(cells: PlannedCell[]): Html {
  const heads = cells.filter(cell => cell.part === 'head')
  const isFirstHead = (cell: PlannedCell) => cell === heads[0]
  return html`${cells.map(cell => {
    switch (cell.part) {
      case 'title':
        return html`<h2>${cell.value}</h2>`
      case 'heading':
        return html`<h3>${cell.value}</h3>`
      case 'head':
        return isFirstHead(cell)
          ? html`<div class="heads">${heads.map(each => html`<span>${each.value}</span>`)}</div>`
          : ''
      default:
        return html`<p class="${cell.part ?? 'note'}">${cell.value}</p>`
    }
  })}`
}

function tableOf(plan: SheetPlan, rows: PlannedCell[][], name: string): Html {
  const heads = rows.findIndex(row => row.some(cell => cell.part !== 'columnHead'))
  const headRows = heads === -1 ? rows : rows.slice(0, heads)
  const bodyRows = heads === -1 ? [] : rows.slice(heads)
  const sum = plan.columnWidths.reduce((all, each) => all + each, 0)
  const columns = plan.columnWidths.map(
    width => html`<col width="${Math.round((width / sum) * 1000) / 10}%">`,
  )
  const draw = (row: PlannedCell[]) => html`<tr>${row.map(cellOf)}</tr>`
  return html`<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table><caption>${name}</caption><colgroup>${columns}</colgroup>
${headRows.length > 0 ? html`<thead>${headRows.map(draw)}</thead>` : ''}<tbody>${bodyRows.map(draw)}</tbody></table></div>`
}

function cellOf(cell: PlannedCell): Html {
  const { value, behind, part, look } = cell
  const shown = behind === undefined ? value : html`<a href="${behind}">${value}</a>`
  const align = look.align === 'left' ? html` class="left"` : ''
  if (part === 'columnHead')
    return html`<th scope="${cell.right > cell.left ? 'colgroup' : 'col'}"${span(cell)}>${shown}</th>`
  if (part === 'rowHead')
    return html`<th scope="${cell.bottom > cell.top ? 'rowgroup' : 'row'}"${span(cell)}${align}>${shown}</th>`
  return html`<td${span(cell)}${align}>${shown}</td>`
}

function span({ top, left, bottom, right }: PlannedCell): Html {
  return html`${right > left ? html` colspan="${right - left + 1}"` : ''}${bottom > top ? html` rowspan="${bottom - top + 1}"` : ''}`
}
