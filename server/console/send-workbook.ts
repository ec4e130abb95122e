import { describeError } from '../../db/errors.ts'
import { type StreamedSheet, streamWorkbook } from '../domain/reports/stream-workbook.ts'
import type { Answer, View } from './routes.ts'

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

/** Sends an XLSX while it is written. What fails in its middle ends the download and is logged. */
export function sendWorkbook(
  view: View<unknown>,
  { name, sheets }: { name: string; sheets: readonly StreamedSheet[] },
): Answer {
  const stream = streamWorkbook(sheets)
  stream.on('error', error => view.rt.log.error({ name, ...describeError(error) }, 'an export broke off'))
  return view.reply
    .type(XLSX)
    .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
    .send(stream)
}
