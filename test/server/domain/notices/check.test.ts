import { describe, expect, test } from 'vitest'
import { needsApproval } from '../../../../server/domain/notices/approval.ts'
import { checkNotice, type NoticeWords } from '../../../../server/domain/notices/check.ts'
import { cleanFile, cleanName } from '../../../../server/domain/notices/files.ts'
import { noticeRules } from '../../../../server/domain/notices/rules.ts'
import { DomainError } from '../../../../server/errors.ts'

/** What a rule said. null: nothing. */
function said(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    return `${error.code} ${error.message}`
  }
}

const body = '请各县于周五前报送名单。'
const secret = '【机密】省委组织部拟任人选名单，内部掌握，请勿外传'

describe('the check before sending looks at every word that anybody will read, and shows the place', () => {
  test.each<[where: string, words: NoticeWords, fault: RegExp | null]>([
    ['nothing wrong', { body, link: 'https://example.cn/a?b=1', fileNames: ['名单.xlsx'] }, null],
    ['nothing at all', { body: ' \n' }, /^notice\.empty/],
    ['the text', { body: secret }, /^notice\.secret 通知里.*机密.*中少办发〔2017〕4号 五\.1/],
    ['an ID number', { body: `张三61080220010307312X` }, /^notice\.privacy 通知里有个人信息（“张三6108/],
    [
      'an ID number with spaces',
      { body: '张三 6108 0220 0103 0731 2X' },
      /^notice\.privacy 通知里有个人信息（“张三 6108 0220/,
    ],
    ['an ID number in full width', { body: '张三６１０８０２２００１０３０７３１２Ｘ' }, /^notice\.privacy/],
    ['a secret torn apart', { body: [...secret].join('\u200b') }, /^notice\.secret 通知里.*机\u200b密/],
    ['the mark of a copy', { body: `${body}\n〔陕-0002〕` }, /^notice\.mark .*〔陕-0002〕/],
    ['a mark in the middle', { body: `见【陕－０００２】，${body}` }, /^notice\.mark/],
    ['a document number', { body: `按陕团发〔2026〕12号，${body}` }, null],
    [
      'the address',
      { body, link: `https://example.cn/${encodeURIComponent(secret)}.pdf` },
      /^notice\.secret 链接里/,
    ],
    ['the question', { body, ask: { kind: 'text', question: secret } }, /^notice\.secret 要回答的问题里/],
    [
      'a choice',
      { body, ask: { kind: 'choice', question: '选哪个', choices: ['甲', secret] } },
      /^notice\.secret 要回答的问题里/,
    ],
    [
      'a file',
      { body, fileNames: ['名单.xlsx', '会议纪要（内部）.docx'] },
      /^notice\.secret 文件名里.*（“（内部）”）/,
    ],
    ['a marked file', { body, fileNames: ['机密文件.pdf'] }, /^notice\.secret 文件名里/],
    [
      'a file of one person',
      { body, fileNames: ['张三61080220010307312X.pdf'] },
      /^notice\.privacy 文件名里/,
    ],
    ['plain names', { body, fileNames: ['台账.xls', '微信图片_20260907101010.jpg', '招募方案.docx'] }, null],
    ['an address that is none', { body, link: 'javascript:alert(1)' }, /^notice\.link/],
    ['an address with a space', { body, link: 'https://example.cn/a b' }, /^notice\.link/],
    ['a question without words', { body, ask: { kind: 'number', question: ' ' } }, /^notice\.ask/],
    [
      'one choice',
      { body, ask: { kind: 'choice', question: '选哪个', choices: ['甲'] } },
      /^notice\.ask.*2 到/,
    ],
    [
      'a choice twice',
      { body, ask: { kind: 'choice', question: '选哪个', choices: ['甲', '甲'] } },
      /^notice\.ask 有重复/,
    ],
  ])('%s', (_where, words, fault) => {
    const words_ = said(() => checkNotice(words))
    if (fault === null) expect(words_).toBeNull()
    else expect(words_).toMatch(fault)
  })
})

describe('a second person', () => {
  test.each([
    ['city', 999, false],
    ['city', 1000, true],
    ['county', 1, false],
    ['province', 1, true],
    ['national', 1, true],
  ] as const)('%s to %d groups: %s', (level, groups, needed) => {
    expect(needsApproval(noticeRules, { level, groups })).toBe(needed)
  })
})

describe('files are told by what is inside', () => {
  const jpg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46])
  const pdf = Buffer.from('%PDF-1.7 some')
  const docx = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), Buffer.from('....word/document.xml....')])
  const zip = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), Buffer.from('....run.exe....')])
  const ole = Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), Buffer.alloc(20)])

  test.each<[name: string, bytes: Buffer, is: [kind: string, name: string, mime: string]]>([
    ['照片.JPG', jpg, ['picture', '照片.JPG', 'image/jpeg']],
    // a picture that calls itself a document is a picture
    ['名单.pdf', jpg, ['picture', '名单.pdf.jpg', 'image/jpeg']],
    ['方案.pdf', pdf, ['file', '方案.pdf', 'application/pdf']],
    ['台账.xls', ole, ['file', '台账.xls', 'application/vnd.ms-excel']],
    ['台账', ole, ['file', '台账.doc', 'application/msword']],
    [
      '方案.docx',
      docx,
      ['file', '方案.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ],
  ])('%s', (name, bytes, [kind, clean, mime]) => {
    const file = cleanFile({ name, bytes })
    expect([file.kind, file.name, file.mime]).toEqual([kind, clean, mime])
  })

  test.each<[name: string, bytes: Buffer, fault: RegExp]>([
    ['病毒.exe', Buffer.from('MZ..........'), /^notice\.file_type “病毒\.exe”/],
    ['伪装.docx', zip, /^notice\.file_type/],
    ['网页.png', Buffer.from('<svg onload="x">'), /^notice\.file_type/],
    ['空.pdf', Buffer.alloc(0), /^notice\.file_size/],
    ['大.jpg', Buffer.concat([jpg, Buffer.alloc(2 * 1024 * 1024)]), /^notice\.file_size “大\.jpg”太大.*2 MB/],
    [`${secret}.pdf`, pdf, /^notice\.secret 文件名里/],
  ])('%s is not taken', (name, bytes, fault) => {
    expect(said(() => cleanFile({ name, bytes }))).toMatch(fault)
  })

  test.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\文件\\名单.xlsx', '名单.xlsx'],
    ['名\u202e单\u0000.xlsx', '名单.xlsx'],
    ['a<b>:"c".pdf', 'a_b___c_.pdf'],
    ['...', '文件'],
    [`${'长'.repeat(300)}.docx`, `${'长'.repeat(80)}.docx`],
  ])('%s is kept as %s', (written, name) => {
    expect(cleanName(written)).toBe(name)
  })
})
