import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'

const NAME = /^(?:WW|MP)_verify_[A-Za-z0-9]{8,64}\.txt$/
/** The platforms' files hold a word of some sixteen letters. */
const MAX_BYTES = 1024

/**
 * `GET /WW_verify_….txt` and `/MP_verify_….txt`: the files by which the platforms see that a domain is ours (可信域名,
 * 网页授权域名, JS 安全域名), from the folder `VERIFY_FOLDER`. Read each time, so a file that was just put there works.
 */
export function registerVerifyFiles(
  app: FastifyInstance,
  rt: { config: Pick<Config, 'verifyFolder'> },
): void {
  for (const prefix of ['WW', 'MP'])
    app.get<{ Params: { rest: string } }>(`/${prefix}_verify_:rest`, async (request, reply) => {
      const bytes = await verifyFile(rt.config.verifyFolder, `${prefix}_verify_${request.params.rest}`)
      if (!bytes) return reply.callNotFound()
      return reply
        .headers({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' })
        .type('text/plain')
        .send(bytes)
    })
}

/** null: there is no such file, or it is none of the platforms'. */
async function verifyFile(folder: string, name: string): Promise<Buffer | null> {
  if (!NAME.test(name)) return null
  const path = join(folder, name)
  try {
    // not through links: whoever may only put files here must not show others
    const found = await lstat(path)
    return found.isFile() && found.size <= MAX_BYTES ? await readFile(path) : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
