import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findCues } from '../../../../server/domain/messages/alert-cues.ts'
import { shippedAlertFinder } from '../../../../server/domain/messages/alerts.ts'
import { neededSigns } from '../../../../server/domain/messages/needed-signs.ts'
import { readDevSet } from './dev-set.ts'

describe('neededSigns', () => {
  test.each<[string, string | null]>([
    ['救命', '救'],
    // of a part that stands in nearly every text nothing is learnt
    ['不想活', '想'],
    ['血|昏迷', '血昏'],
    ['(?:别|莫)(?:给|跟)?说', '别莫'],
    ['火(?:已|顺)', '火'],
    ['刀子?', '刀'],
    ['奶{0,2}', null],
    ['奶{2}', '奶'],
    ['娃*|老人', null],
    ['[累困]死', '死'],
    ['[累困]', '累困'],
    ['[一-龥]死', '死'],
    ['[^死]', null],
    ['叫(?!人)', '叫'],
    ['(?<!不)叫', '叫'],
    ['(?=救)', null],
    ['\\d+栋', '栋'],
    ['\\*{3,}', '*'],
    ['[\\u4e00-\\u9fff]{2}大叔', '叔'],
    ['\\u6551', null],
    ['\\s', null],
    ['.{0,6}', null],
    ['', null],
    ['a(b', 'a'],
    ['a)b', null],
  ])('of %s', (source, needed) => {
    const signs = neededSigns(source)
    expect(signs === null ? null : [...signs].sort().join('')).toBe(needed && [...needed].sort().join(''))
  })

  test('no cue is missed for them, on messages and on shreds of the patterns', () => {
    const { cues } = shippedAlertFinder()
    const searched = (text: string) => cues.filter(cue => cue.pattern.test(text)).map(cue => cue.mark)
    const found = (text: string) => findCues(cues, text).map(hit => hit.mark)
    for (const { text } of readDevSet('alerts-dev.jsonl')) expect(found(text)).toEqual(searched(text))
    const shreds = cues.flatMap(cue => cue.pattern.source.split(/[|()?:[\]{}]+/)).filter(each => each !== '')
    const piece = fc.oneof(
      fc.constantFrom(...shreds.map(each => each.replace(/\\[ds]/g, '1').replace(/\\/g, ''))),
      fc.constantFrom('，', ' ', '3', '的', '了', '人', '王'),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), pieces => {
        const text = pieces.join('')
        expect(found(text)).toEqual(searched(text))
      }),
      { numRuns: 3000 },
    )
  })
})
