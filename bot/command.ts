import type { Context, KnownContext } from './context.ts'

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
}

export type Command = CommandWords &
  (
    | { audience: 'anyone'; run(ctx: Context, input: string): Promise<string> }
    | { audience: 'known' | 'owner' | 'manager'; run(ctx: KnownContext, input: string): Promise<string> }
  )

export interface MatchedCommand {
  command: Command
  /** What stands behind the word. */
  input: string
}

/** The command that a text begins with, the longest word first; null when it begins with none. */
export function matchCommand(commands: readonly Command[], text: string): MatchedCommand | null {
  let best: (MatchedCommand & { length: number }) | null = null
  for (const command of commands)
    for (const word of [command.name, ...command.aliases]) {
      if (!text.startsWith(word) || (best && best.length >= word.length)) continue
      const rest = text.slice(word.length)
      if (!endsWord(rest, command.takesWords ?? false)) continue
      best = { command, input: rest.replace(/^[\s:：,，]+/, ''), length: word.length }
    }
  return best
}

/** Behind a command stands nothing, a space, a number or punctuation: 统计表在哪 is not the command 统计. */
function endsWord(rest: string, takesWords: boolean): boolean {
  return rest === '' || /^[\s\d:：,，#]/.test(rest) || takesWords
}

/** Up to three commands that somebody may have meant, the likeliest first. */
export function nearestCommands(commands: readonly Command[], text: string): Command[] {
  const head = [...text].slice(0, 8)
  return commands
    .map(command => ({
      command,
      score: Math.max(...[command.name, ...command.aliases].map(word => likeness(word, head))),
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ command }) => command)
}

/** The share of a word's characters that stand in the text; a word of one character must be the first. */
function likeness(word: string, head: string[]): number {
  const characters = [...word]
  if (characters.length === 1) return head[0] === word ? 1 : 0
  return characters.filter(character => head.includes(character)).length / characters.length
}
