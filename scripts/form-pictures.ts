import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser } from 'playwright-core'
import { startEmbeddedPostgres } from '../db/embedded.ts'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { putDutyReport } from '../db/queries/duty-reports.ts'
import { groupsOfUnit, insertGroup } from '../db/queries/groups.ts'
import { insertAccount } from '../db/queries/unit-accounts.ts'
import { putPlan } from '../db/queries/unit-plans.ts'
import { holdersOf, type UnitRow, unitsOfProgramme } from '../db/queries/units.ts'
import { printedSheet } from '../server/console/printed-sheet.ts'
import type { OfficialForm } from '../server/domain/forms/form.ts'
import { officialForms } from '../server/domain/forms/index.ts'
import { periodToSend } from '../server/domain/forms/periods.ts'
import { importRoster } from '../server/domain/roster/import.ts'
import { importUnits } from '../server/domain/units/import-units.ts'
import { html } from '../server/http/html.ts'
import { createLog } from '../server/log.ts'
import type { DomainRuntime } from '../server/runtime.ts'
import { randomDataKey } from '../server/start.ts'
import { loadTemplates } from '../server/templates.ts'
import { inventCast, type Scale } from './demo/cast.ts'
import { openDemo } from './demo/stage.ts'
import { playMonth } from './demo/story.ts'
import { openBrowser, openWindow } from './support/browser.ts'
import { runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run form-pictures [-- --out docs/forms] [--only 报表]

给每张官方报表拍一张照片：在临时的数据库里演一个月（人和数都是编的），照打印的样子画出来。

  --out    放照片的目录（默认 docs/forms）
  --only   只拍编号里有这几个字的，如 plan`

/** Forms that say most of another unit or period than the one that is to be sent. */
const shown: Record<string, { level: string; period: string }> = {
  'quota-check': { level: 'national', period: '2020' },
}

const CSS = join(import.meta.dirname, '../server/console/public/console.css')
const A4_LANDSCAPE = { width: 1180, height: 760 }
/** Of a form of several pages the first two are the picture. */
const MAX_HEIGHT = 2 * A4_LANDSCAPE.height

/** Few enough to be played in half a minute, and enough that no form is empty. */
const scale: Scale = {
  counties: 3,
  townships: 4,
  youthGroupsATownship: 4,
  cadresATownship: 4,
  youthATownship: 12,
  volunteersABranch: 8,
}

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string', default: 'docs/forms' }, only: { type: 'string', default: '' } },
  })
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-forms-'))
  const embedded = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), throwAway: true })
  try {
    const databaseUrl = await createDatabase(embedded.url, 'qunzhen')
    await migrateDatabase(databaseUrl)
    const stage = await openDemo({
      databaseUrl,
      dataKey: randomDataKey(),
      log: createLog('warn'),
      phonePort: 0,
      serverPort: 0,
      host: '127.0.0.1',
    })
    try {
      const cast = inventCast(loadTemplates().regions, scale)
      await playMonth({ stage, cast, scale, tell: () => {} })
      await fillRest(stage.server.rt)
      const count = await photograph(stage.server.rt, values.out, values.only)
      console.log(`${count} 张照片在 ${values.out}/`)
    } finally {
      await stage.stop()
    }
  } finally {
    await embedded.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return 0
})

/** What the demo does not play: plans, accounts, the 少先队 matrix, and the groups of offices. */
async function fillRest(rt: DomainRuntime): Promise<void> {
  const now = rt.clock.now()
  for (const [at, county] of (await unitsOfProgramme(rt.db, 'qingnong'))
    .filter(unit => unit.level === 'county')
    .entries()) {
    const [officer] = await holdersOf(rt.db, county.id)
    if (!officer) continue
    const place = county.name.replace(/[区县市]$/, '')
    const contact = `139000000${String(20 + at)}`
    await putPlan(rt.db, {
      unitId: county.id,
      year: Number(now.toISOString().slice(0, 4)),
      fields: {
        account: 'subscription',
        accountName: `青农${place}`,
        lead: officer.name,
        countyYouthGroups: 2 + at,
        countyCadreGroups: 1,
        townshipYouthGroups: 40,
        townshipCadreGroups: 4,
        directGroups: 3,
        villageGroups: 20,
      },
      contactSealed: rt.vault.seal(`${officer.name} ${contact}`),
      writtenBy: officer.personId,
      writtenAt: now,
    })
    await insertAccount(rt.db, {
      unitId: county.id,
      name: at === 1 ? `${place}青年` : `青农${place}`,
      kind: 'subscription',
      managerName: officer.name,
      phoneSealed: rt.vault.seal(contact),
      wechatSealed: rt.vault.seal(`qingnong_${at + 1}`),
      qqSealed: rt.vault.seal(String(10_001_000 + at)),
      writtenBy: officer.personId,
      writtenAt: now,
    })
  }
  await importUnits(rt, 'shaoxiandui', [
    { code: '000000', name: '全国', kind: 'national-office', parentCode: null },
    { code: '610000', name: '陕西省', kind: 'province-committee', parentCode: '000000' },
    { code: '610800', name: '榆林市', kind: 'city-committee', parentCode: '610000' },
    { code: '610600', name: '延安市', kind: 'city-committee', parentCode: '610000' },
    { code: '610802', name: '榆阳区', kind: 'county-committee', parentCode: '610800' },
    { code: '610825', name: '定边县', kind: 'county-committee', parentCode: '610800' },
  ])
  await importCsv(
    rt,
    'shaoxiandui',
    `单位编码,姓名,手机号,角色,职务,状态
000000,钟全国,13700000001,少工委办公室同志,处长,在岗
610000,秦省办,13700000002,少工委办公室同志,主任,在岗
610800,高榆林,13700000003,少工委办公室同志,主任,在岗
610600,白延安,13700000004,少工委办公室同志,主任,在岗
610802,林榆阳,13700000005,少工委办公室同志,主任,在岗
610825,丁定边,13700000006,少工委办公室同志,主任,在岗
610800,贺部长,13700000007,团委少年部（学少部）部长,部长,在岗
610600,惠部长,13700000008,团委少年部（学少部）部长,部长,在岗
`,
  )
  await importCsv(
    rt,
    'xibu',
    `省份,地市,区县,团支部,姓名,手机号,身份证号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态
全国,,,,钟处长,13700000011,,项目办负责同志,处长,,,,,在岗
陕西省,,,,陈省办,13700000012,,项目办负责同志,副部长,,,,,在岗
陕西省,,,,雷省办,13700000013,,项目办负责同志,主任,,,,,在岗
`,
  )
  const counties = (await unitsOfProgramme(rt.db, 'xibu')).filter(unit => unit.level === 'county')
  // the last county is late
  for (const [at, county] of counties.slice(0, -1).entries()) {
    const [officer] = await holdersOf(rt.db, county.id)
    if (officer)
      await putDutyReport(rt.db, {
        unitId: county.id,
        period: periodToSend('two-months', now),
        onDuty: 8 + at,
        leftCount: at,
        onLeave: 1,
        incidents: 0,
        noteSealed: null,
        reportedBy: officer.personId,
        reportedAt: now,
      })
  }
  for (const programme of ['xibu', 'shaoxiandui'] as const)
    for (const unit of await unitsOfProgramme(rt.db, programme)) await addGroups(rt, unit)
}

async function importCsv(rt: DomainRuntime, programme: string, csv: string): Promise<void> {
  const result = await importRoster(
    rt,
    { name: 'roster.csv', bytes: Buffer.from(csv) },
    { programme, isDryRun: false, actorId: null },
  )
  if (!result.isApplied) throw new Error(JSON.stringify(result.problems))
}

/** The groups that a unit must have, where it has none: run by its first officer. */
async function addGroups(rt: DomainRuntime, unit: UnitRow): Promise<void> {
  const [officer] = await holdersOf(rt.db, unit.id)
  const own = await groupsOfUnit(rt.db, unit.id)
  const kinds = rt.templates
    .programme(unit.programme)
    .groupKinds.filter(kind => kind.unitKinds.includes(unit.kind) && kind.obligation === 'required')
  for (const kind of kinds)
    if (officer && !own.some(group => group.kind === kind.id))
      await insertGroup(rt.db, {
        programme: unit.programme,
        kind: kind.id,
        unitId: unit.id,
        name: `${unit.name}${kind.name}`,
        platform: 'wechat',
        ownerId: officer.personId,
        capacity: 500,
        size: 12 + (unit.id % 20),
        createdAt: new Date(rt.clock.now().getTime() - 86_400_000),
      })
}

/** Draws each form of the highest unit that has one. @returns how many */
async function photograph(rt: DomainRuntime, out: string, only: string): Promise<number> {
  mkdirSync(out, { recursive: true })
  const browser = await openBrowser()
  try {
    const forms = officialForms.filter(form => form.id.includes(only))
    for (const form of forms) {
      const unit = await unitFor(rt, form)
      if (!unit) throw new Error(`no unit has a ${form.id}`)
      writeFileSync(join(out, `${form.id}.png`), await draw(rt, browser, form, unit))
    }
    return forms.length
  } finally {
    await browser.close()
  }
}

async function unitFor(rt: DomainRuntime, form: OfficialForm): Promise<UnitRow | undefined> {
  const units = await unitsOfProgramme(rt.db, form.programme)
  // the nation's sheet of a small matrix says little: the highest level below it is the picture
  const level = shown[form.id]?.level ?? form.levels.find(each => each !== 'national')
  return units.find(unit => unit.level === level)
}

async function draw(rt: DomainRuntime, browser: Browser, form: OfficialForm, unit: UnitRow): Promise<Buffer> {
  const period = shown[form.id]?.period ?? periodToSend(form.rhythm, rt.clock.now())
  const [officer] = await holdersOf(rt.db, unit.id)
  const filledBy = { name: officer?.name ?? '', contact: '' }
  const picture = await form.picture?.(rt, unit, period)
  const body = picture
    ? picture.svg
    : printedSheet(await form.plan(rt, unit, period, filledBy, 'masked'), form.name).text
  const { context, page } = await openWindow(browser, A4_LANDSCAPE)
  try {
    await page.setContent(
      html`<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>${form.name}</title></head><body></body></html>`
        .text,
    )
    await page.addStyleTag({
      content: `${readFileSync(CSS, 'utf8')}\nbody { background: #fff; padding: 12px }\n.sheet a { color: inherit; text-decoration: none }`,
    })
    await page.evaluate(`document.body.innerHTML = ${JSON.stringify(body)}`)
    const height = await page.evaluate<number>('document.documentElement.scrollHeight')
    await page.setViewportSize({ ...A4_LANDSCAPE, height: Math.min(height, MAX_HEIGHT) })
    return Buffer.from(await page.screenshot({ type: 'png' }))
  } finally {
    await context.close()
  }
}
