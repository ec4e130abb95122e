/** Before a command in the id of a menu message's item, so that a tap on it is told from one on somebody else's menu. */
const PREFIX = 'qz:'

export function menuItemId(command: string): string {
  return `${PREFIX}${command}`
}

/** The command behind the id (`bizmsgmenuid`) that comes with a tap; null for a menu that is not ours. */
export function commandOfMenuItem(id: string): string | null {
  return id.startsWith(PREFIX) && id !== PREFIX ? id.slice(PREFIX.length) : null
}
