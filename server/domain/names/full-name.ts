import { nameTables } from './name-tables.ts'

/** `full`: surname and given name, or a whole name of a people without surnames. `partial`: 小马, 马老师, 卓玛, 孙某. */
export type NameShape = 'full' | 'partial' | 'none'

const FUNCTION_CHARACTERS = new Set(Array.from('的是我在了吗呢请您你她他们这叫啊呀吧哦'))

/** Last characters of places, offices and schools, which no given name has. */
const PLACE_ENDINGS = new Set(Array.from('县区镇乡局院所部学员省市委业'))

/** 公电话, 方手机: the label of a field with a character that may be a surname. */
const OF_A_FORM = /电话|手机|号码|微信|身份|姓名|单位|申请|服务|志愿/u

/** 胡文学 is a name, 延安大学 is none. */
const LEARNED = /^.(?:文|志|好|博|勤|永|国|立|善|敏|兴|启|以|学|向|思|明|进)学$/u

function isChinesePersonName(characters: string[]): boolean {
  const compound = nameTables.compoundSurnames.has(characters.slice(0, 2).join(''))
  const surname = characters[0] ?? ''
  if (compound) return characters.length >= 3 && characters.length <= 4
  return nameTables.surnames.has(surname) && (characters.length === 2 || characters.length === 3)
}

function isMadeOfParts(name: string): boolean {
  const parts = name.match(/../gu) ?? []
  return name.length === 4 && parts.every(part => nameTables.givenParts.has(part))
}

/**
 * Whether a string of Han characters can be somebody's full name. A guess for names that no roster holds: it decides
 * only between refusing and asking again, never about letting somebody in.
 *
 * @param dotted the string was written with a middle dot inside.
 */
export function nameShape(name: string, dotted = false): NameShape {
  const characters = Array.from(name)
  if (characters.length < 2 || nameTables.noise.has(name)) return 'none'
  if (nameTables.noiseStarts.some(word => name.startsWith(word))) return 'none'
  // 党员申, 常用手: a word with a character of the next one
  if (characters.length === 3 && nameTables.noise.has(name.slice(0, 2))) return 'none'
  if (characters.some(character => FUNCTION_CHARACTERS.has(character))) return 'none'
  if (OF_A_FORM.test(name)) return 'none'
  if (isPartialName(name, characters)) return 'partial'
  if (PLACE_ENDINGS.has(characters.at(-1) ?? '') && !LEARNED.test(name)) return 'none'
  if (dotted && characters.length >= 4) return 'full'
  if (nameTables.wholeNames.has(name) || isMadeOfParts(name)) return 'full'
  const transliterated = characters.every(character => nameTables.transliteration.has(character))
  if (isChinesePersonName(characters)) return 'full'
  if (transliterated && characters.length >= 3 && characters.length <= 16) return 'full'
  // a Mongol or Hui family name in front of a transliterated given name: 吴额尔德木图
  const rest = characters.slice(1)
  if (
    rest.length >= 3 &&
    nameTables.surnames.has(characters[0] ?? '') &&
    rest.every(c => nameTables.transliteration.has(c))
  ) {
    return 'full'
  }
  return 'none'
}

function isPartialName(name: string, characters: string[]): boolean {
  const [first = '', second = ''] = characters
  if (characters.length === 2 && first === second) return true
  if (characters.length === 2 && (first === '小' || first === '老' || first === '阿')) return true
  if (
    nameTables.titles.some(
      title => name.endsWith(title) && Array.from(name).length <= Array.from(title).length + 2,
    )
  )
    return true
  return characters.length === 2 && nameTables.givenParts.has(name)
}
