import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../bot/bot.ts'
import { settingNames } from '../server/config.ts'
import { scheduledJobs } from '../server/jobs/schedule.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const packageFile = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

describe('what is written stays true', () => {
  test('.env.example has the keys of the configuration, in its order, each with a comment', () => {
    const lines = read('.env.example').split('\n')
    const keys = lines.flatMap(line => /^#?([A-Z_]+)=/.exec(line)?.[1] ?? [])
    expect(keys).toEqual(settingNames)
    for (const [index, line] of lines.entries())
      if (/^#?[A-Z_]+=/.test(line)) expect(lines[index - 1]).toMatch(/^# /)
  })

  test('the README names every dependency with its reason', () => {
    const readme = read('README.md')
    for (const name of Object.keys({ ...packageFile.dependencies, ...packageFile.devDependencies }))
      expect(readme, name).toContain(`| \`${name}\``)
  })

  test('the README shows every command of the bot', () => {
    const readme = read('README.md')
    for (const command of commands) expect(readme, command.name).toContain(command.name)
  })

  test('the map of folders in the README is the real one', () => {
    const listed = [...read('README.md').matchAll(/^\| `([a-z/-]+\/)` \|/gm)].map(match => match[1] as string)
    expect(listed.length).toBeGreaterThan(10)
    for (const folder of listed) expect(existsSync(join(root, folder)), folder).toBe(true)
    const top = readdirSync(root, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && !/^(\.|node_modules|demo-output)/.test(entry.name))
      .map(entry => `${entry.name}/`)
    for (const folder of top) expect(listed).toContain(folder)
  })

  test('every command line exists and has a script of its name', () => {
    for (const [name, line] of Object.entries(packageFile.scripts)) {
      const file = /(?:scripts|server)\/[\w-]+\.ts/.exec(line)?.[0]
      if (file) expect(existsSync(join(root, file)), name).toBe(true)
    }
    for (const name of [
      'demo',
      'test',
      'start',
      'import-roster',
      'audit-requests',
      'classify-messages',
      'export-form',
    ])
      expect(packageFile.scripts).toHaveProperty(name)
  })

  test('the migration journal grows in time and has one entry a file', () => {
    const journal = JSON.parse(read('db/migrations/meta/_journal.json')) as {
      entries: { tag: string; when: number }[]
    }
    const times = journal.entries.map(entry => entry.when)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(journal.entries.map(entry => `${entry.tag}.sql`).sort()).toEqual(
      globSync('*.sql', { cwd: join(root, 'db/migrations') }).sort(),
    )
  })

  test('jobs have names of their own', () => {
    const names = scheduledJobs.map(job => job.name)
    expect(new Set(names).size).toBe(names.length)
  })
})
