import { expect, test } from 'vitest'
import { openRosterFile } from '../../../../server/domain/roster/read-roster-file.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const vocabulary = loadTemplates().roster
const openHeaders = (count: number) => {
  const headers = ['姓名', '手机号', ...Array.from({ length: count - 2 }, (_, index) => `列${index}`)]
  return openRosterFile({ bytes: Buffer.from(`${headers.join(',')}\n林小雨,13800001111\n`) }, vocabulary)
}

test('a roster has at most 300 columns, as many as are read of a workbook', async () => {
  expect((await openHeaders(300)).columns.extra).toHaveLength(298)
  await expect(openHeaders(301)).rejects.toMatchObject({ code: 'table.too_large' })
})

test('a small file of many columns and rows is refused at once', async () => {
  const bytes = Buffer.from(`姓名,手机号${',列'.repeat(15_000)}\n${'甲\n'.repeat(20_000)}`)
  const begun = performance.now()
  await expect(openRosterFile({ bytes }, vocabulary)).rejects.toMatchObject({ code: 'table.too_large' })
  expect(performance.now() - begun).toBeLessThan(2000)
})
