import { extname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { resultPageByToken } from '../../db/queries/platform.ts'
import { chineseMoment } from '../clock.ts'
import type { Runtime } from '../runtime.ts'
import { type Html, html } from './html.ts'

/**
 * `GET /pages/:token`: a long result or a file that the bot answered with a link. The link is the key: it cannot be
 * guessed, ends after some days, and is kept out of caches, referrers and search engines.
 */
export function registerPages(app: FastifyInstance, rt: Runtime): void {
  app.get<{ Params: { token: string } }>('/pages/:token', async (request, reply) => {
    reply.headers({
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    })
    const page = await resultPageByToken(
      rt.db,
      rt.vault.indexes('page-token', request.params.token),
      rt.clock.now(),
    )
    if (!page)
      return reply
        .code(404)
        .type('text/html; charset=utf-8')
        .send(frame('链接已失效', html`<p>这个链接不对，或已经过期。请在微信里重新向机器人要一次。</p>`))
    if (page.fileName !== null) {
      const name = encodeURIComponent(page.fileName)
      return reply
        .type(typeOf(page.fileName))
        .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
        .send(Buffer.from(rt.vault.open(page.textSealed), 'base64'))
    }
    const lines = rt.vault.open(page.textSealed).split('\n')
    const body = html`<ol class="lines">${lines.map(line => html`<li>${line}</li>`)}</ol>
<p class="foot">${lines.length} 行 · ${chineseMoment(page.createdAt)}生成 · ${chineseMoment(page.expiresAt)}失效 · 内容仅供工作使用，请勿外传</p>`
    return reply.type('text/html; charset=utf-8').send(frame(page.title, body))
  })
}

const types: Readonly<Record<string, string>> = {
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.csv': 'text/csv; charset=utf-8',
  '.pdf': 'application/pdf',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
}

/** Downloaded in any case, never shown in our name: a page in it would run as ours. */
function typeOf(fileName: string): string {
  return types[extname(fileName).toLowerCase()] ?? 'application/octet-stream'
}

function frame(title: string, body: Html): string {
  const [head = '', ...rest] = title.split('\n')
  return html`<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${head}</title>
<style>
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.6 system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.2rem; margin: .2rem 0 .6rem; }
.lines { list-style: none; margin: 0; padding: 0; }
.lines li { padding: .55rem 0; border-bottom: 1px solid var(--line); }
.foot { color: #777; font-size: .85rem; }
</style>
</head>
<body>
<h1>${head}</h1>
${rest.map(line => html`<p>${line}</p>`)}
${body}
</body>
</html>
`.text
}
