import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { looksLikeZip } from '../../zip.ts'
import { headOf, sizeOf } from './file-bytes.ts'
import { type StagedHead, type StagedPart, type StagingJob, stageRows } from './stage-rows.ts'
import type { WorkerTask, WorkerWord } from './staging-worker.ts'
import type { FileSource } from './table.ts'

/** A file that is read in a moment is not worth a thread. A workbook always is: what it becomes is not known before. */
const SMALL_BYTES = 128 * 1024
/** From here on two threads read one file. */
const LARGE_BYTES = 4 * 1024 * 1024
const MAX_THREADS = 2
/** So many at a time for all files together; who comes later waits for its turn. */
const places = { free: MAX_THREADS, waiting: [] as { count: number; begin(): void }[] }
/** A thread that reads rows one after another needs little; one that unpacks a workbook holds it whole. */
const ROWS_MEMORY_MB = 64
const WORKBOOK_MEMORY_MB = 1024

/** How a file is read; the programme by its id. */
export type ReadingOptions = Pick<StagingJob, 'mapping' | 'today' | 'units' | 'top'> & { programme: string }

/** One reader of a file: its heading, and its share of the rows. */
export interface Reader {
  head: StagedHead
  parts: AsyncIterable<StagedPart>
  /** Reads no further. */
  close(): void
}

/** What the columns of a file are, without reading its rows. @throws DomainError `table.…` */
export async function headOfRoster(
  rt: DomainRuntime,
  file: FileSource,
  programme: string,
): Promise<StagedHead> {
  const options = { programme, mapping: {}, today: dayOf(rt.clock.now()), units: [] }
  const readers = await openReaders(rt, file, options, 1)
  for (const reader of readers) reader.close()
  return (readers[0] as Reader).head
}

/**
 * Reads a roster file without holding up anybody: in one thread or two, or at once when it is small.
 * @throws DomainError `table.…`; it may also come out of `parts`
 */
export async function openReaders(
  rt: DomainRuntime,
  file: FileSource,
  { programme, ...rest }: ReadingOptions,
  maxThreads = MAX_THREADS,
): Promise<Reader[]> {
  // a thread is given what it needs of the templates: loading all of them would take longer than most files
  const job = { ...rest, programme: rt.templates.programme(programme), vocabulary: rt.templates.roster }
  const isWorkbook = looksLikeZip(await headOf(file, 4))
  const size = await sizeOf(file)
  if (!isWorkbook && size <= SMALL_BYTES)
    return [
      {
        ...(await stageRows({ ...job, file, share: { own: 0, of: 1 } }, rt.vault)),
        close() {},
      },
    ]
  const of = isWorkbook || size < LARGE_BYTES ? 1 : Math.min(maxThreads, availableParallelism())
  const memory = isWorkbook ? WORKBOOK_MEMORY_MB : ROWS_MEMORY_MB
  await takePlaces(of)
  const threads = Array.from({ length: of }, (_, own) =>
    startThread({ job: { ...job, file, share: { own, of } }, vault: rt.vault.madeFrom }, memory),
  )
  try {
    return await Promise.all(threads.map(thread => thread.reader))
  } catch (error) {
    for (const thread of threads) thread.stop()
    throw error
  }
}

/** All places of a file at once, and in turn: two that had one each would wait for each other. */
async function takePlaces(count: number): Promise<void> {
  if (places.waiting.length === 0 && places.free >= count) {
    places.free -= count
    return
  }
  // whoever waits keeps the process alive
  const pulse = setInterval(() => {}, 1000)
  await new Promise<void>(begin => places.waiting.push({ count, begin }))
  clearInterval(pulse)
}

function givePlaceBack(): void {
  places.free += 1
  for (let next = places.waiting[0]; next && next.count <= places.free; next = places.waiting[0]) {
    places.free -= next.count
    places.waiting.shift()
    next.begin()
  }
}

function startThread(task: WorkerTask, memoryMb: number): { reader: Promise<Reader>; stop(): void } {
  const worker = new Worker(new URL('./staging-worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 8 },
  })
  // whoever waits for it keeps the process alive; a thread by itself does not
  worker.unref()
  const words: WorkerWord[] = []
  let failure: Error | null = null
  let wake = () => {}
  worker.on('message', (word: WorkerWord) => {
    words.push(word)
    wake()
  })
  const fail = (error: Error) => {
    failure ??= error
    wake()
  }
  worker.on('error', fail)
  worker.on('exit', () => {
    givePlaceBack()
    fail(new Error('the thread that read a roster has ended'))
  })
  const next = async (): Promise<WorkerWord> => {
    for (;;) {
      const word = words.shift()
      if (word) return word
      if (failure) throw failure
      const pulse = setInterval(() => {}, 1000)
      await new Promise<void>(resolve => {
        wake = resolve
      })
      clearInterval(pulse)
    }
  }
  const spoken = async () => {
    const word = await next()
    if (word.kind === 'refused') throw new DomainError(word.code, word.message)
    return word
  }
  async function* parts(): AsyncGenerator<StagedPart> {
    try {
      for (let word = await spoken(); word.kind === 'part'; word = await spoken()) {
        yield word.part
        worker.postMessage('taken')
      }
    } finally {
      stop()
    }
  }
  const stop = () => void worker.terminate()
  const open = async (): Promise<Reader> => {
    const word = await spoken()
    if (word.kind !== 'head') throw new Error('a thread must begin with the heading')
    return { head: word.head, parts: parts(), close: stop }
  }
  return { reader: open(), stop }
}
