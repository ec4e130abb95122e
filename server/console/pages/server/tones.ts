import type { Tone } from '../../parts.ts'

const tones: Readonly<Record<string, Tone>> = {
  sent: 'good',
  handled: 'good',
  retrying: 'wait',
  waiting: 'wait',
  received: 'wait',
  failed: 'bad',
  unknown: 'bad',
  set_aside: 'bad',
}

/** How urgent the state of a message or an update is. */
export function toneOf(status: string): Tone {
  return tones[status] ?? 'quiet'
}
