import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { registerVerifyFiles } from '../../../server/http/verify-files.ts'

describe('the files by which the platforms see that a domain is ours', () => {
  const home = mkdtempSync(join(tmpdir(), 'qunzhen-verify-'))
  const verifyFolder = join(home, 'verify')
  const app = Fastify() as unknown as FastifyInstance
  const place = (name: string, text: string | Buffer) => writeFileSync(join(verifyFolder, name), text)
  beforeAll(() => registerVerifyFiles(app, { config: { verifyFolder } }))
  afterAll(async () => {
    await app.close()
    rmSync(home, { recursive: true })
  })

  test('are not there while nobody has made the folder', async () => {
    expect((await app.inject('/WW_verify_AbCdEfGh12345678.txt')).statusCode).toBe(404)
  })

  test.each([
    ['WW_verify_AbCdEfGh12345678.txt', 'AbCdEfGh12345678'],
    ['MP_verify_0123456789abcdef.txt', '0123456789abcdef\n'],
    ['WW_verify_12345678.txt', '\ufeff'],
  ])('%s works as soon as it is placed, byte for byte', async (name, text) => {
    mkdirSync(verifyFolder, { recursive: true })
    place(name, text)
    const answer = await app.inject(`/${name}`)
    expect(answer).toMatchObject({ statusCode: 200, rawPayload: Buffer.from(text) })
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
    place(name, 'another')
    expect((await app.inject(`/${name}?x=1`)).body).toBe('another')
  })

  test.each<[string, string, (() => void)?]>([
    ['a file that was not placed', '/WW_verify_AAAAAAAA.txt'],
    ['a short name', '/WW_verify_abc.txt', () => place('WW_verify_abc.txt', 'x')],
    ['a long name', `/MP_verify_${'a'.repeat(65)}.txt`, () => place(`MP_verify_${'a'.repeat(65)}.txt`, 'x')],
    ['another ending', '/WW_verify_12345678.html', () => place('WW_verify_12345678.html', 'x')],
    ['other letters', '/WW_verify_1234-5678.txt', () => place('WW_verify_1234-5678.txt', 'x')],
    ['another beginning', '/XX_verify_12345678.txt', () => place('XX_verify_12345678.txt', 'x')],
    ['another file of the folder', '/notes.txt', () => place('notes.txt', 'x')],
    ['a way out of the folder', '/WW_verify_..%2F..%2Fsecret12.txt'],
    ['a zero byte', '/WW_verify_12345678%00.txt'],
    [
      'a large file',
      '/WW_verify_LargeFile1.txt',
      () => place('WW_verify_LargeFile1.txt', Buffer.alloc(1025)),
    ],
    ['a folder', '/WW_verify_Folder123.txt', () => mkdirSync(join(verifyFolder, 'WW_verify_Folder123.txt'))],
    [
      'a link to another file',
      '/WW_verify_Link12345.txt',
      () => {
        writeFileSync(join(home, 'secret'), 'secret')
        symlinkSync(join(home, 'secret'), join(verifyFolder, 'WW_verify_Link12345.txt'))
      },
    ],
  ])('%s is not shown', async (_label, address, make) => {
    mkdirSync(verifyFolder, { recursive: true })
    make?.()
    const answer = await app.inject(address)
    expect(answer.statusCode).toBe(404)
    expect(answer.body).not.toContain('secret\n')
  })
})
