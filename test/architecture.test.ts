import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const files = globSync('{server,bot,db,scripts}/**/*.ts', { cwd: root }).map(file =>
  file.replaceAll('\\', '/'),
)

interface Import {
  from: string
  to: string
  isType: boolean
}

/** Every import of the project: project files as paths from the root, packages by name. */
const imports: Import[] = files.flatMap(from => {
  const text = readFileSync(join(root, from), 'utf8')
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'/gms),
  ]
  return found.map(([, type, name, bare]) => {
    const target = (name ?? bare) as string
    const to = target.startsWith('.')
      ? relative(root, normalize(join(root, dirname(from), target))).replaceAll('\\', '/')
      : target
    return { from, to, isType: type !== undefined }
  })
})

/** Who may not import what, and why. `from` and `to` are beginnings of paths or names of packages. */
const forbidden: { why: string; from: RegExp; to: RegExp; except?: RegExp; typesToo?: boolean }[] = [
  {
    why: 'production code never needs scripts or tests',
    from: /^(server|bot|db)\//,
    to: /^(scripts|test)\//,
  },
  { why: 'the database knows nobody above it', from: /^db\//, to: /^(server|bot)\//, typesToo: true },
  {
    why: 'only db/ speaks to PostgreSQL',
    from: /^(server|bot|scripts)\//,
    to: /^(drizzle-orm|postgres$)/,
    typesToo: true,
  },
  {
    why: 'server and bot meet in main.ts only',
    from: /^server\//,
    to: /^bot\//,
    except: /^server\/main\.ts$/,
    typesToo: true,
  },
  {
    why: 'the bot talks to no platform',
    from: /^bot\//,
    to: /^server\/(http|jobs|channels)\//,
    except: /^server\/channels\/text\.ts$/,
  },
  {
    why: 'a channel knows neither rules nor rows',
    from: /^server\/channels\//,
    to: /^(server\/(domain|http|jobs)|bot|db)\//,
    typesToo: true,
  },
  {
    why: 'the domain never sends',
    from: /^server\/domain\//,
    to: /^server\/(http|jobs|channels)\//,
    typesToo: true,
  },
  {
    why: 'the domain reads and writes through named queries',
    from: /^server\/domain\//,
    to: /^db\/(?!queries\/)/,
    typesToo: true,
  },
  { why: 'pages and webhooks hold no rules of sending', from: /^server\/http\//, to: /^server\/jobs\// },
  { why: 'one job runner', from: /^(?!server\/jobs\/)/, to: /^(pg-boss|node-cron)$/ },
  {
    why: 'the simulator shares no code with the server it plays to',
    from: /^scripts\/simulator\//,
    to: /^(server|bot|db)\//,
    except: /^server\/clock\.ts$/,
  },
]

describe('who may import whom', () => {
  test.each(forbidden)('$from ⇏ $to: $why', rule => {
    const broken = imports.filter(
      each =>
        rule.from.test(each.from) &&
        rule.to.test(each.to) &&
        !(rule.except?.test(each.from) || rule.except?.test(each.to)) &&
        (rule.typesToo || !each.isType),
    )
    expect(broken.map(each => `${each.from} imports ${each.to}`)).toEqual([])
  })

  test('the table is not checked against nothing', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(imports.some(each => each.from === 'server/main.ts' && each.to === 'bot/bot.ts')).toBe(true)
  })

  test('only config.ts and the command lines read the environment', () => {
    const readers = files.filter(file => /process\.env\b/.test(readFileSync(join(root, file), 'utf8')))
    expect(readers.filter(file => !/^(server\/main\.ts|scripts\/)/.test(file))).toEqual([])
  })

  test('only the clock asks what time it is', () => {
    const readers = files
      .filter(file => /^(server|bot|db)\//.test(file))
      .filter(file => /Date\.now\(\)|new Date\(\)/.test(readFileSync(join(root, file), 'utf8')))
    expect(readers).toEqual(['server/clock.ts'])
  })

  test('files in production code import in no circle', () => {
    const edges = new Map<string, string[]>()
    for (const { from, to, isType } of imports)
      if (!isType && files.includes(to)) edges.set(from, [...(edges.get(from) ?? []), to])
    const done = new Set<string>()
    const circles: string[] = []
    const walk = (file: string, path: string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      else if (!done.has(file)) {
        for (const next of edges.get(file) ?? []) walk(next, [...path, file])
        done.add(file)
      }
    }
    for (const file of edges.keys()) walk(file, [])
    expect(circles).toEqual([])
  })
})
