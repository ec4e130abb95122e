import { setTimeout as pause } from 'node:timers/promises'
import exceljs from 'exceljs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openReaders, type Reader } from '../../../../server/domain/roster/read-in-threads.ts'
import { stageFile } from '../../../../server/domain/roster/stage-file.ts'
import { openStage, type Stage } from '../../../support/stage.ts'

// threads begin slowly on a busy machine
vi.setConfig({ testTimeout: 90_000 })

let stage: Stage
let bytes: Buffer
beforeEach(async () => {
  stage = await openStage()
  const book = new exceljs.Workbook()
  // more than a thread reads ahead: it waits until its rows are taken
  const rows = Array.from({ length: 6000 }, (_, index) => ['林小雨', 13_800_000_000 + index, '榆阳区'])
  book.addWorksheet('名册').addRows([['姓名', '手机号', '区县'], ...rows])
  bytes = Buffer.from(await book.xlsx.writeBuffer())
})
afterEach(() => stage.close())

const open = () => openReaders(stage.rt, { bytes }, { programme: 'xibu', today: '2026-09-01', units: [] })
const close = (readers: Reader[]) => {
  for (const reader of readers) reader.close()
}

test('two workbooks are read at a time, and a third once one of them has been', async () => {
  const first = await open()
  const second = await open()
  let third: Reader[] | null = null
  const waiting = open().then(readers => {
    third = readers
  })
  await pause(3000)
  expect(third).toBeNull()
  close(first)
  await waiting
  close(second)
  close(third as unknown as Reader[])
})

test.each([
  ['no staging can be made', 'roster_stagings'],
  ['its rows cannot be copied', 'rows'],
])('a thread ends when %s', async (_what, broken) => {
  await stage.rt.db.execute(
    broken === 'rows'
      ? `create function refuse() returns event_trigger language plpgsql as $$
         declare made record; begin
           for made in select object_identity from pg_event_trigger_ddl_commands() where object_identity like 'roster\\_staging.rows%' loop
             execute 'alter table ' || made.object_identity || ' drop column name';
           end loop;
         end $$;
         create event trigger refuse on ddl_command_end when tag in ('CREATE TABLE') execute function refuse()`
      : 'alter table roster_stagings rename to elsewhere',
  )
  for (let index = 0; index < 3; index += 1)
    await expect(stageFile(stage.rt, { bytes }, { programme: 'xibu' }, null)).rejects.toThrow(
      /Failed query|column/,
    )
})
