import { parentPort } from 'node:worker_threads'
import { svgToPng } from './svg-to-png.ts'

/** A picture to draw. */
export interface PictureTask {
  id: number
  svg: string
}

/** What came of it. */
export type DrawnPicture = { id: number; bytes: Uint8Array } | { id: number; error: string }

parentPort?.on('message', ({ id, svg }: PictureTask) => {
  try {
    parentPort?.postMessage({ id, bytes: svgToPng(svg) } satisfies DrawnPicture)
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies DrawnPicture)
  }
})
