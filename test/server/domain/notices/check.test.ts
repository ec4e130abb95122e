import { describe, expect, test } from 'vitest'
import { needsApproval } from '../../../../server/domain/notices/approval.ts'
import { checkNotice, type NoticeWords } from '../../../../server/domain/notices/check.ts'
import { checkFileText, unreadFiles } from '../../../../server/domain/notices/file-text.ts'
import { cleanName } from '../../../../server/domain/notices/file-types.ts'
import { cleanFile } from '../../../../server/domain/notices/files.ts'
import { doorWords } from '../../../../server/domain/notices/mark.ts'
import { noticeRules } from '../../../../server/domain/notices/rules.ts'
import { likenessOf } from '../../../../server/domain/notices/split.ts'
import { DomainError } from '../../../../server/errors.ts'
import { isSameText } from '../../../../server/jobs/deliver/recover.ts'
import { docxOf, xlsxOf, zipOf } from '../../../support/office-files.ts'

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

describe('what a file says is looked through', () => {
  const refusal = async (name: string, bytes: Buffer) => {
    try {
      await checkFileText({ name, bytes })
      return 'taken'
    } catch (error) {
      return `${(error as DomainError).code} ${(error as Error).message}`
    }
  }

  test.each<[what: string, name: string, bytes: Buffer, said: RegExp]>([
    ['a plain paper', '方案.docx', docxOf('培训方案', '九月底前办三场。'), /^taken/],
    [
      'one that talks of secrecy',
      '规定.docx',
      docxOf(
        `各单位要严格保密，涉密信息、内部资料一律不得在群里转发，${'各级要加强教育，'.repeat(3)}违者追究。`,
      ),
      /^taken/,
    ],
    [
      'a marked one',
      '通报.docx',
      docxOf('机密★1年', '关于……的通报'),
      /^notice\.secret 附件“通报\.docx”里可能有涉密/,
    ],
    ['spread marking', '通报.docx', docxOf('秘 密', '正文'), /^notice\.secret/],
    ['one that is marked in brackets', '名单.docx', docxOf('考察名单（内部）'), /^notice\.secret/],
    ['for the inside', '参考.docx', docxOf('内部资料，注意保存', '正文'), /^notice\.secret/],
    [
      'an ID number that is set in two runs',
      '名册.docx',
      docxOf('张三 61080220010307312X'),
      /^notice\.privacy 附件“名册\.docx”里有个人信息/,
    ],
    ['an ID number in a cell', '名册.xlsx', xlsxOf('姓名', '张三', '61080220010307312X'), /^notice\.privacy/],
    [
      'phones of two persons',
      '名册.xlsx',
      xlsxOf('张三', '13812345678', '李四', '13987654321'),
      /^notice\.privacy/,
    ],
    ['an ampersand', '说明.xlsx', xlsxOf('A&B', '三场 < 五场'), /^taken/],
    ['plain text', '名册.txt', Buffer.from('张三 61080220010307312X'), /^notice\.privacy/],
    ['a PDF, which is not read', '方案.pdf', Buffer.from('%PDF-1.7 \0\0 61080220010307312X'), /^taken/],
    [
      'a broken one',
      '坏.docx',
      Buffer.concat([docxOf('x').subarray(0, 60)]),
      /^notice\.file_type “坏\.docx”打不开/,
    ],
    [
      'one that unpacks to more than it says',
      '炸.docx',
      zipOf([{ name: 'word/document.xml', bytes: Buffer.alloc(5_000_000), says: 10 }]),
      /^notice\.file_type/,
    ],
    [
      'one that says it is huge',
      '炸.docx',
      zipOf([{ name: 'word/document.xml', bytes: Buffer.alloc(1000), says: 500_000_000 }]),
      /^notice\.file_size “炸\.docx”展开后太大/,
    ],
    [
      'a number behind two stretches of text',
      '长.docx',
      docxOf('报送情况。'.repeat(8000), '张三 61080220010307312X'),
      /^notice\.privacy/,
    ],
  ])('%s', async (_what, name, bytes, said) => {
    expect(await refusal(name, bytes)).toMatch(said)
  })

  test('the number itself is not repeated to whoever reads the refusal', async () => {
    expect(await refusal('名册.docx', docxOf('张三 61080220010307312X'))).not.toContain('61080220010307312X')
  })

  test('its writer vouches for what is not read', () => {
    const file = (name: string, kind = 'file') => ({ name, kind })
    const all = [
      file('图.jpg', 'picture'),
      file('方案.docx'),
      file('方案.pdf'),
      file('旧.doc'),
      file('表.XLSX'),
    ]
    expect(unreadFiles(all).map(each => each.name)).toEqual(['方案.pdf', '旧.doc'])
  })
})

describe('notices that say nearly the same', () => {
  const text = '各乡镇团委：请于周五前报送青年创业贷款名单，逾期不再受理。'
  test.each<[string, string, boolean]>([
    ['the very same', text, true],
    ['with another name and day', '各县区团委：请于周六前报送青年创业贷款名单，逾期不再受理。', true],
    ['with other signs', text.replace(/[，。：]/g, ' '), true],
    ['about something else', '请各乡镇团委组织收看公开课，并把照片发到群里。', false],
    ['with one word in common', '青年创业大赛今天开幕，欢迎大家观看直播。', false],
    ['nothing', '', false],
  ])('%s', (_what, other, isLike) => {
    expect(likenessOf(text, other) >= noticeRules.split.likeness).toBe(isLike)
    expect(likenessOf(text, other)).toBeCloseTo(likenessOf(other, text))
  })
})

describe('a task on the platform is ours', () => {
  const door = (address: string) => doorWords(`${address}/n/12`)
  test.each<[string, string, boolean]>([
    ['as it was made', `请报名单。\n${door('https://a.cn')}`, true],
    ['under an address that we had before', `请报名单。\n${door('http://10.0.0.1:3000')}`, true],
    ['without a line for it', '请报名单。', true],
    ['with a file below', `请报名单。\n${door('https://a.cn')}\n附件“名单”：https://a.cn/f/1`, true],
    ['with other words', `请报名册。\n${door('https://a.cn')}`, false],
    ['with more words in the same line', `请报名单。再报一次。\n${door('https://a.cn')}`, false],
  ])('%s', (_what, listed, isOurs) => {
    expect(isSameText(listed, `请报名单。\n${door('https://b.cn')}`)).toBe(isOurs)
  })
})
