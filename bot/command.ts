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

/** The command that a text begins with, the longest word first; null when it begins with none. */
export function matchCommand(commands: readonly Command[], text: string): MatchedCommand | null {
  const whole = withoutQuotes(text)
  const plain = plainWords(text)
  let best: (MatchedCommand & { length: number }) | null = null
  for (const command of commands)
    for (const word of [command.name, ...command.aliases]) {
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
  const bare = withoutQuotes(text).replace(
    /(?:[\s。．.!！~～、,，;；]|\p{Extended_Pictographic}|\u200d|\ufe0f)+$/u,
    '',
  )
  return bare === '' ? text : bare
}

/** People copy the bot's own words with the quotes around them, or with 回复 in front. */
function withoutQuotes(text: string): string {
  const bare = text
    .replace(/^请?(?:回复|发送)[:：\s]*(?=\S)/, '')
    .replace(/^[“"「『‘']([^“”"「」『』‘’'\n]{1,20})[”"」』’']/, '$1')
  return bare === '' ? text : bare
}

/** Up to three commands that somebody may have meant, the likeliest first. */
export function nearestCommands(commands: readonly Command[], text: string): Command[] {
  const head = [...text.slice(0, 16)].slice(0, 8)
  return commands
    .map(command => ({
      command,
      score: Math.max(...wordsOf(command).map(characters => likeness(characters, head))),
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ command }) => command)
}

const wordsByCommand = new WeakMap<Command, string[][]>()

/** The words of a command, taken apart once. */
function wordsOf(command: Command): string[][] {
  let words = wordsByCommand.get(command)
  if (!words) {
    words = [command.name, ...command.aliases].map(word => [...word])
    wordsByCommand.set(command, words)
  }
  return words
}

/** The share of a word's characters that stand in the text; a word of one character must be the first. */
function likeness(characters: string[], head: string[]): number {
  if (characters.length === 1) return head[0] === characters[0] ? 1 : 0
  let found = 0
  for (const character of characters) if (head.includes(character)) found++
  return found / characters.length
}
