import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

const require = createRequire(import.meta.url)
const own = (name: string) => join(import.meta.dirname, 'public', name)

/** The few files that pages load. Their address holds a hash of their contents, so that browsers keep them for good. */
const files: Record<string, { file: string; type: string }> = {
  'console.css': { file: own('console.css'), type: 'text/css; charset=utf-8' },
  'console.js': { file: own('console.js'), type: 'text/javascript; charset=utf-8' },
  'pay.js': { file: own('pay.js'), type: 'text/javascript; charset=utf-8' },
  'htmx.js': { file: require.resolve('htmx.org/dist/htmx.min.js'), type: 'text/javascript; charset=utf-8' },
  'sse.js': {
    file: require.resolve('htmx-ext-sse/dist/sse.min.js'),
    type: 'text/javascript; charset=utf-8',
  },
}

interface Asset {
  path: string
  type: string
  plain: Buffer
  gzip: Buffer
  brotli: Buffer
}

const loaded = new Map<string, Asset>()

function asset(name: string): Asset {
  let found = loaded.get(name)
  if (!found) {
    const source = files[name]
    if (!source) throw new Error(`no asset ${name}`)
    const plain = readFileSync(source.file)
    const hash = createHash('sha256').update(plain).digest('hex').slice(0, 12)
    found = {
      path: `/assets/${hash}-${name}`,
      type: source.type,
      plain,
      gzip: gzipSync(plain),
      brotli: brotliCompressSync(plain),
    }
    loaded.set(name, found)
  }
  return found
}

/** The address of a file, as pages name it. */
export function assetPath(name: string): string {
  return asset(name).path
}

/** `GET /assets/…`: compressed once, kept by browsers for a year. */
export function registerAssets(app: FastifyInstance): void {
  app.get<{ Params: { name: string } }>(
    '/assets/:name',
    { config: { policy: 'public' } },
    (request, reply) => {
      const { name } = request.params
      const found = Object.keys(files)
        .map(asset)
        .find(each => each.path === `/assets/${name}`)
      if (!found) return reply.code(404).send({ code: 'route.unknown', message: '没有这个地址' })
      const accepted = request.headers['accept-encoding'] ?? ''
      const encoding = /\bbr\b/.test(accepted) ? 'br' : /\bgzip\b/.test(accepted) ? 'gzip' : null
      reply.headers({
        'content-type': found.type,
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        vary: 'accept-encoding',
      })
      if (encoding !== null) reply.header('content-encoding', encoding)
      return reply.send(encoding === 'br' ? found.brotli : encoding === 'gzip' ? found.gzip : found.plain)
    },
  )
}
