import { Worker } from 'node:worker_threads'
import type { DrawnPicture, PictureTask } from './png-worker.ts'

/** A thread that has had nothing to draw for so long ends: it holds two fonts. */
const IDLE_MS = 60_000

interface Drawer {
  worker: Worker
  waiting: Map<number, { resolve(bytes: Buffer): void; reject(error: Error): void }>
  idle: NodeJS.Timeout | null
}

let drawer: Drawer | null = null
let count = 0

/**
 * Draws a picture as PNG (`svgToPng`) in a thread of its own: the one of a nation takes a second, in which the server would
 * answer nobody. @throws Error for what is no picture of ours, or when the thread dies
 */
export function drawPng(svg: string): Promise<Buffer> {
  drawer ??= startDrawer()
  const { worker, waiting } = drawer
  if (drawer.idle) clearTimeout(drawer.idle)
  drawer.idle = null
  const id = ++count
  // whoever waits keeps the process alive; a thread by itself does not
  worker.ref()
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, svg } satisfies PictureTask)
  })
}

function startDrawer(): Drawer {
  const own: Drawer = {
    worker: new Worker(new URL('./png-worker.ts', import.meta.url)),
    waiting: new Map(),
    idle: null,
  }
  own.worker.on('message', (drawn: DrawnPicture) => {
    const asked = own.waiting.get(drawn.id)
    own.waiting.delete(drawn.id)
    if (own.waiting.size === 0) rest(own)
    if ('error' in drawn) asked?.reject(new Error(drawn.error))
    else asked?.resolve(Buffer.from(drawn.bytes.buffer, drawn.bytes.byteOffset, drawn.bytes.byteLength))
  })
  const end = (error: Error) => {
    if (drawer === own) drawer = null
    for (const { reject } of own.waiting.values()) reject(error)
    own.waiting.clear()
  }
  own.worker.on('error', end)
  own.worker.on('exit', () => end(new Error('the thread that draws pictures has ended')))
  return own
}

function rest(own: Drawer): void {
  own.worker.unref()
  own.idle = setTimeout(() => {
    if (drawer === own) drawer = null
    void own.worker.terminate()
  }, IDLE_MS)
  own.idle.unref()
}
