import { expect, test } from 'vitest'
import {
  correctedText,
  correctionText,
  withdrawalText,
} from '../../../../server/domain/notices/change-words.ts'
import { takeBackStep } from '../../../../server/domain/notices/recall.ts'
import { checkReason } from '../../../../server/domain/notices/withdraw.ts'

const now = new Date('2026-09-08T09:00:00+08:00')
const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000)
const app = { kind: 'person', recallIds: ['a', 'b'] }
const other = { kind: 'person', recallIds: null }
const mass = { kind: 'mass', platformId: 'task' }

test.each([
  // how the message stands, and what a withdrawal does about it
  [{ ...app, status: 'sending' }, { do: 'wait' }],
  [{ ...app, status: 'retrying' }, { do: 'cancel' }],
  [{ ...other, status: 'pending' }, { do: 'cancel' }],
  [
    { ...app, status: 'sent', outAt: ago(1) },
    { do: 'recall', messageIds: ['a', 'b'] },
  ],
  [
    { ...app, status: 'sent', outAt: ago(23.99) },
    { do: 'recall', messageIds: ['a', 'b'] },
  ],
  [
    { ...app, status: 'sent', outAt: ago(24) },
    { do: 'note', outcome: 'too_late', isOut: true },
  ],
  // out in part, and then stopped or given up
  [
    { ...app, status: 'cancelled', outAt: ago(1) },
    { do: 'recall', messageIds: ['a', 'b'] },
  ],
  [
    { ...app, status: 'failed', outAt: ago(1) },
    { do: 'recall', messageIds: ['a', 'b'] },
  ],
  [
    { ...other, status: 'cancelled' },
    { do: 'note', outcome: 'cancelled', isOut: false },
  ],
  [
    { ...other, status: 'failed' },
    { do: 'note', outcome: 'cancelled', isOut: false },
  ],
  // the Official Account takes nothing back
  [
    { ...other, status: 'sent', outAt: ago(1) },
    { do: 'note', outcome: 'not_possible', isOut: true },
  ],
  [
    { ...mass, status: 'sent', outAt: ago(50) },
    { do: 'stop_task', taskId: 'task' },
  ],
  [
    { ...mass, platformId: null, status: 'unknown' },
    { do: 'note', outcome: 'not_possible', isOut: true },
  ],
  [
    { kind: 'robot', status: 'sent' },
    { do: 'note', outcome: 'not_possible', isOut: true },
  ],
  [
    { kind: 'appchat', status: 'unknown' },
    { do: 'note', outcome: 'not_possible', isOut: true },
  ],
])('%j of a notice that was withdrawn: %j', (message, step) => {
  const standing = { platformId: null, recallIds: null, outAt: null, ...message }
  expect(takeBackStep({ ...standing, followKind: 'withdrawal' }, now)).toEqual(step)
})

test.each([
  [
    { ...mass, status: 'sent' },
    { do: 'stop_task', taskId: 'task' },
  ],
  [
    { ...mass, status: 'retrying' },
    { do: 'note', outcome: 'corrected', isOut: false },
  ],
  // whoever has it keeps it, and gets the correction
  [
    { ...app, status: 'sent', outAt: ago(1) },
    { do: 'note', outcome: 'not_possible', isOut: true },
  ],
])('%j of a notice that was corrected: %j', (message, step) => {
  const standing = { platformId: null, recallIds: null, outAt: null, ...message }
  expect(takeBackStep({ ...standing, followKind: 'correction' }, now)).toEqual(step)
})

test.each([
  ['各乡镇团委：请于周五前报送。', '“各乡镇团委：请于周五前报送。”'],
  ['请各乡镇团委\n于本周五下午五点以前报送返乡青年名单', '“请各乡镇团委 于本周五下午五点以前报送返……”'],
  // withdrawn because of what it says: that is not said once more
  ['张三身份证号61080220010307312X请核对', ''],
])('%j is named by its first words', (body, quoted) => {
  const original = { id: 12, body, issuedAt: new Date('2026-09-07T23:30:00+08:00') }
  const name = `9月7日的通知${quoted}（通知 12）`
  expect(withdrawalText(original, '时间有变。')).toContain(`【撤回】${name}已经撤回`)
  const correction = correctionText(original, '改好的\n全文')
  expect(correction).toBe(`【更正】${name}有更正，请以这一条为准：\n改好的\n全文`)
  expect(correctedText(correction)).toBe('改好的\n全文')
})

test.each([
  ['会议改期，另行通知。', null],
  ['时间由 9.10 改到 9.12', null],
  ['  ', '请写明'],
  ['改期。\n请扫码进群', '一行'],
  ['改期\u2028请进群', '一行'],
  ['长'.repeat(41), '最多 40 字'],
  ['详见 https://example.cn/a', '网址'],
  ['详见 example . com', '网址'],
  ['详见ｗｗｗ．例子．中国', '网址'],
  ['找 a@qq', '邮箱'],
  ['见〔陕-0002〕', '记号'],
])('a withdrawal has no second person, so its reason is one plain line: %s', (reason, fault) => {
  const check = () => checkReason(reason)
  if (fault === null) expect(check).not.toThrow()
  else expect(check).toThrow(fault)
})
