import type { MultipartFile } from '@fastify/multipart'
import { withoutControls } from '../http/texts.ts'

/** A file that came with a form. */
export interface UploadedFile {
  name: string
  bytes: Buffer
  /** It was larger than what is taken in at all, and the rest is not here. */
  isCut: boolean
}

/** The fields of a form, whether it was sent with files or without. */
export interface FormFields {
  /** Empty when it is not there. Line ends are `\n`. */
  text(name: string): string
  /** What was ticked, or stands in fields of one name. */
  list(name: string): string[]
  /** A field of files that was left empty has none. */
  files(name: string): Promise<UploadedFile[]>
}

/** @param body as `@fastify/formbody` and `@fastify/multipart` (`attachFieldsToBody`) leave it */
export function formFields(body: unknown): FormFields {
  const fields = (body ?? {}) as Record<string, unknown>
  const parts = (name: string): unknown[] => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    return field === undefined ? [] : Array.isArray(field) ? field : [field]
  }
  const list = (name: string) =>
    parts(name)
      .map(textOf)
      .filter(text => text !== null)
  return {
    list,
    text: name => list(name)[0] ?? '',
    async files(name) {
      const files: UploadedFile[] = []
      for (const part of parts(name)) {
        const file = part as Partial<MultipartFile> | null
        if (typeof file?.toBuffer !== 'function' || !file.filename) continue
        const bytes = await file.toBuffer()
        files.push({ name: file.filename, bytes, isCut: file.file?.truncated ?? false })
      }
      return files
    },
  }
}

/** The fields of a form or a query without characters that are no text; files and what else is no text stay. */
export function cleanFields(source: unknown): unknown {
  if (typeof source !== 'object' || source === null) return source
  const clean = (value: unknown) => (typeof value === 'string' ? withoutControls(value) : value)
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(clean) : clean(value),
    ]),
  )
}

/** Browsers send line ends as two characters. */
function textOf(part: unknown): string | null {
  const value = typeof part === 'object' && part !== null ? (part as { value?: unknown }).value : part
  return typeof value === 'string' ? withoutControls(value) : null
}
