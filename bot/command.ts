import type { Context, Heard, KnownContext } from './context.ts'

/** For whom a command is: everybody, people whose account is bound, group owners and their offices, those who run units. */
export type Audience = 'anyone' | 'known' | 'owner' | 'manager'

interface CommandWords {
  /** The word people type, and other words for it. One word belongs to one command only. */
  name: string
  aliases: string[]
  /** One line for 帮助. */
  usage: string
  example: string
  /** Whether what follows may be written without a space even when it is Chinese (登记致富3条). */
  takesWords?: boolean
  /** Whether what follows is a text of its own, which is kept to the last full stop and may be long. */
  takesText?: boolean
  /** Whether what follows can be meant for the command: a forwarded text may begin with its word (转：各位……). */
  accepts?(input: string, isGlued: boolean): boolean
  /** Whether it may be answered in a group, where everybody reads the answer. */
  isPublic?: boolean
}

export type Command = CommandWords &
  /** Only explains: neither reads nor writes, so that it is answered without a transaction. */
  (
    | { audience: 'anyone'; say(heard: Heard, input: string): string }
    | { audience: 'anyone'; run(ctx: Context, input: string): Promise<string> }
    | { audience: 'known' | 'owner' | 'manager'; run(ctx: KnownContext, input: string): Promise<string> }
  )

export interface MatchedCommand {
  command: Command
  /** What stands behind the word. */
  input: string
  /** Nothing but numbers stands behind the word. */
  isBare: boolean
  /** What stands behind the word is written on to it in Chinese: 活动中心 may be a place and no command. */
  isGlued: boolean
}

/** What stands behind a command that takes no text of its own; longer is a text that only begins with its word. */
const MAX_INPUT = 60

/** A word that a command is called by. */
interface Word {
  command: Command
  /** The place of its command in their list. */
  place: number
  text: string
  /** In characters. */
  length: number
}

/** The words of a list of commands, arranged once: every message is looked up in them, most of them in vain. */
interface Vocabulary {
  /** By their first character (UTF-16 unit), in the order of the commands. */
  byFirst: ReadonlyMap<string, readonly Word[]>
  /** The words of two and more characters that hold a character, as many times as it stands in them: by number. */
  byCharacter: ReadonlyMap<string, readonly number[]>
  words: readonly Word[]
  /**
   * Room for one look at a time: how many characters of each word, the best share of each command's words, and of which
   * words and commands there are any.
   */
  found: Uint8Array
  shares: Float64Array
  touched: Numbers
  places: Numbers
}

/** A list that keeps its room when it is emptied: a plain array would grow anew for every message. */
interface Numbers {
  list: Uint16Array
  length: number
}

const vocabularies = new WeakMap<readonly Command[], Vocabulary>()

function vocabularyOf(commands: readonly Command[]): Vocabulary {
  let vocabulary = vocabularies.get(commands)
  if (!vocabulary) {
    vocabulary = arrange(commands)
    vocabularies.set(commands, vocabulary)
  }
  return vocabulary
}

function arrange(commands: readonly Command[]): Vocabulary {
  const byFirst = new Map<string, Word[]>()
  const byCharacter = new Map<string, number[]>()
  const words: Word[] = []
  for (const [place, command] of commands.entries())
    for (const text of [command.name, ...command.aliases]) {
      const characters = [...text]
      const word = { command, place, text, length: characters.length }
      const number = words.push(word) - 1
      listIn(byFirst, text.charAt(0)).push(word)
      if (characters.length > 1)
        for (const character of characters) listIn(byCharacter, character).push(number)
    }
  const [found, shares] = [new Uint8Array(words.length), new Float64Array(commands.length)]
  const touched = { list: new Uint16Array(words.length), length: 0 }
  const places = { list: new Uint16Array(commands.length), length: 0 }
  return { byFirst, byCharacter, words, found, shares, touched, places }
}

function listIn<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  let list = lists.get(key)
  if (!list) {
    list = []
    lists.set(key, list)
  }
  return list
}

/** The command that a text begins with, the longest word first; null when it begins with none. */
export function matchCommand(commands: readonly Command[], text: string): MatchedCommand | null {
  const whole = withoutQuotes(text)
  const plain = plainWords(text)
  const { byFirst } = vocabularyOf(commands)
  let best: (MatchedCommand & { length: number }) | null = null
  const begun = byFirst.get(plain.charAt(0)) ?? []
  const others = whole.charAt(0) === plain.charAt(0) ? [] : (byFirst.get(whole.charAt(0)) ?? [])
  for (const words of [begun, others])
    for (const { command, text: word } of words) {
      const said = command.takesText ? whole : plain
      if (!said.startsWith(word) || (best && best.length >= word.length)) continue
      const rest = said.slice(word.length)
      const isGlued = !endsWord(rest, word)
      if (isGlued && !command.takesWords) continue
      const input = rest.replace(/^[\s:：,，、]+/, '')
      if (
        input !== '' &&
        !(command.accepts?.(input, isGlued) ?? (command.takesText || [...input].length <= MAX_INPUT))
      )
        continue
      best = { command, input, isBare: /^[\s\d#号]*$/.test(rest), isGlued, length: word.length }
    }
  return best
}

/** Behind a command stands nothing, a space, a number or punctuation: 统计表在哪 is not the command 统计. */
function endsWord(rest: string, word: string): boolean {
  if (rest === '' || /^[\s\d:：,，、#]/.test(rest)) return true
  return [...word].length > 1 && /^[一二两三四五六七八九十]/.test(rest)
}

/** Words as they were meant: 回复“转”。 is 转. For commands and short answers, never for a text that is passed on. */
export function plainWords(text: string): string {
  if (lastPlain.text !== text) {
    const bare = withoutEnd(withoutQuotes(text))
    lastPlain = { text, words: bare === '' ? text : bare }
  }
  return lastPlain.words
}

/** A text without the punctuation and the pictures at its end. */
function withoutEnd(text: string): string {
  let end = text.length
  while (end > 0) {
    const isPair = end > 1 && isLowHalf(text.charCodeAt(end - 1)) && isHighHalf(text.charCodeAt(end - 2))
    const at = end - (isPair ? 2 : 1)
    const last = text.codePointAt(at) as number
    if (isHan(last) || !AT_END.test(String.fromCodePoint(last))) break
    end = at
  }
  return text.slice(0, end)
}

const AT_END = /^(?:[\s。．.!！~～、,，;；]|\p{Extended_Pictographic}|\u200d|\ufe0f)$/u
const isHighHalf = (code: number) => code >= 0xd800 && code <= 0xdbff
const isLowHalf = (code: number) => code >= 0xdc00 && code <= 0xdfff
/** What most messages end with, which need not be looked up. */
const isHan = (code: number) => code >= 0x4e00 && code <= 0x9fff

/** Several ask for the words of one message in turn. */
let lastPlain = { text: '', words: '' }

/** People copy the bot's own words with the quotes around them, or with 回复 in front. */
function withoutQuotes(text: string): string {
  const bare = text
    .replace(/^请?(?:回复|发送)[:：\s]*(?=\S)/, '')
    .replace(/^[“"「『‘']([^“”"「」『』‘’'\n]{1,20})[”"」』’']/, '$1')
  return bare === '' ? text : bare
}

/** Characters at the beginning of a text by which the command is guessed that was meant. */
const HEAD = 8

/**
 * Up to three commands that somebody may have meant, the likeliest first: those with the largest share of the
 * characters of one of their words at the beginning of the text. A word of one character must be the first.
 * @param isMeant leaves out what is not for this person
 */
export function nearestCommands(
  commands: readonly Command[],
  text: string,
  isMeant: (command: Command) => boolean = () => true,
): Command[] {
  const { byFirst, byCharacter, words, found, shares, touched, places } = vocabularyOf(commands)
  touched.length = 0
  places.length = 0
  let at = 0
  let characters = 0
  for (const character of text) {
    if (characters++ === HEAD) break
    // one that stands there twice counts once
    if (text.indexOf(character) === at)
      for (const number of byCharacter.get(character) ?? []) {
        if (found[number] === 0) touched.list[touched.length++] = number
        found[number] = (found[number] as number) + 1
      }
    at += character.length
  }
  for (let index = 0; index < touched.length; index++) {
    const number = touched.list[index] as number
    const { place, length } = words[number] as Word
    noteShare(shares, places, place, (found[number] as number) / length)
    found[number] = 0
  }
  for (const { place, length } of byFirst.get(text.charAt(0)) ?? [])
    if (length === 1) noteShare(shares, places, place, 1)
  const nearest: Command[] = []
  while (nearest.length < 3) {
    const place = likeliest(shares, places)
    if (place < 0) break
    shares[place] = 0
    const command = commands[place] as Command
    if (isMeant(command)) nearest.push(command)
  }
  for (let index = 0; index < places.length; index++) shares[places.list[index] as number] = 0
  return nearest
}

function noteShare(shares: Float64Array, places: Numbers, place: number, share: number): void {
  if (shares[place] === 0) places.list[places.length++] = place
  if (share > (shares[place] as number)) shares[place] = share
}

/** The place with the largest share, the first of equals; -1 when none is left. */
function likeliest(shares: Float64Array, places: Numbers): number {
  let best = -1
  for (let index = 0; index < places.length; index++) {
    const place = places.list[index] as number
    const share = shares[place] as number
    const most = best < 0 ? 0 : (shares[best] as number)
    if (share > most || (share === most && share > 0 && place < best)) best = place
  }
  return best
}
