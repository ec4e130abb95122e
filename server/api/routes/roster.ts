import { rosterAfter } from '../../../db/queries/api.ts'
import { personsInLine } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { throughToken } from '../../domain/api-tokens/read.ts'
import { shownNumbers } from '../../domain/persons/shown-numbers.ts'
import { importRoster, type RosterFile } from '../../domain/roster/import.ts'
import { DomainError } from '../../errors.ts'
import type { Runtime } from '../../runtime.ts'
import { ApiFault } from '../faults.ts'
import { type ApiRoutes, type Call, pageOf, type SliceQuery, unitNamed } from '../routes.ts'
import {
  flag,
  list,
  maybeNumber,
  maybeText,
  number,
  object,
  ofUnit,
  paged,
  slice,
  text,
  unitFilter,
} from '../schemas.ts'
import { FULL_ROSTER, scopes } from '../scopes.ts'

/** A roster file that a program sends at once; larger ones go through the page. */
const MAX_FILE_BYTES = 20 * 1024 * 1024

const entryItem = object({
  id: number('编号'),
  personId: number('人员编号'),
  name: text('姓名'),
  phone: maybeText('手机号：默认打码，full=true 时完整'),
  ...ofUnit,
  role: text('角色'),
  roleName: text('角色的名称'),
  title: maybeText('职务'),
  category: maybeText('人员类别'),
  post: maybeText('服务单位'),
  startsOn: maybeText('服务开始日期'),
  endsOn: maybeText('服务结束日期'),
  status: text('在岗、待派遣或离岗'),
})

const imported = object({
  isApplied: flag('是否已经生效；试导入和有错的都没有'),
  importId: maybeNumber('生效的这次导入的编号'),
  rows: number('读到的行'),
  new: number('新增'),
  changed: number('变更'),
  unchanged: number('不变'),
  gone: number('不再在册'),
  newUnits: list(text('新建的单位')),
  problems: list(
    object({
      line: maybeNumber('文件里的行号'),
      column: text('列'),
      value: text('格子里的内容，个人信息已打码'),
      reason: text('问题'),
      severity: text('error 要改正才能导入，warning 只是提醒'),
    }),
  ),
})

type RosterQuery = SliceQuery & { unit?: string; status?: string; full: boolean }
type Entry = Awaited<ReturnType<typeof rosterAfter>>[number]

/** `GET /roster`, `POST /roster/imports`. */
export function rosterRoutes(api: ApiRoutes): void {
  api.get<RosterQuery>('/roster', {
    tag: '名册',
    summary: '名册：谁在哪个单位、什么角色',
    description: `手机号打码。\`full=true\` 给完整手机号，还需要权限 \`${FULL_ROSTER}\`（${scopes[FULL_ROSTER]}），每次都留痕；别的单位先登记、本单位后来录入的人仍打码。身份证号不提供。`,
    scope: 'roster:read',
    query: {
      ...slice,
      unit: unitFilter,
      status: { type: 'string', enum: ['在岗', '待派遣', '离岗'], description: '只要这种状态的' },
      full: { type: 'boolean', default: false, description: '要完整手机号' },
    },
    answer: { schema: paged(entryItem) },
    async handle(call) {
      const { rt, caller, query } = call
      if (query.full && !caller.scopes.has(FULL_ROSTER))
        throw new ApiFault(
          403,
          'scope.missing',
          `这个令牌没有“${scopes[FULL_ROSTER]}”（${FULL_ROSTER}）的权限。`,
        )
      const unit = await unitNamed(rt, caller, query.unit)
      const filter = query.status === undefined ? {} : { status: query.status }
      const page = await pageOf(
        query,
        part => rosterAfter(rt.db, { path: unit.path, ...part }, filter),
        row => row,
      )
      // whom the office has only entered itself, others having had them before, stays masked (`persons/unmask.ts`)
      const personIds = query.full ? page.items.map(row => row.personId) : []
      const inLine = await personsInLine(rt.db, personIds, [caller.unit.path], 'phoneIndex')
      // written before it is answered: what cannot be noted is not given
      if (query.full)
        await appendAudit(rt.db, {
          at: rt.clock.now(),
          actorId: caller.viewer.actor.person.id,
          action: 'roster.exported',
          subjectKind: 'unit',
          subjectId: unit.id,
          details: { count: page.items.length, ...throughToken(caller) },
        })
      return { ...page, items: page.items.map(row => itemOf(rt, row, inLine.has(row.personId))) }
    },
  })

  api.post<{ dryRun: boolean; whole: boolean }, unknown, Buffer | undefined>('/roster/imports', {
    tag: '名册',
    summary: '导入名册',
    description:
      '正文是 CSV 文件，或 multipart 里的一个文件（CSV、XLSX）。默认试导入（`dryRun=true`）：只算出会有什么变化和问题；' +
      '`dryRun=false` 才生效，一行有错就全部不改。只能动令牌范围内的单位。',
    scope: 'roster:write',
    query: {
      dryRun: { type: 'boolean', default: true, description: '只试算，不改' },
      whole: {
        type: 'boolean',
        default: false,
        description: '文件是令牌的单位及下级的全部名册：不在文件里的人就是离开了',
      },
    },
    body: {
      content: {
        'text/csv': { schema: { description: 'CSV 文件，第一行是表头' } },
        'multipart/form-data': {
          schema: {
            description: '一个文件字段',
          },
        },
      },
    },
    bodyLimit: MAX_FILE_BYTES,
    answer: { schema: imported },
    async handle(call) {
      const { rt, caller, query } = call
      const file = await fileOf(call)
      const { person } = caller.viewer.actor
      const result = await importRoster(rt, file, {
        programme: caller.unit.programme,
        isDryRun: query.dryRun,
        actorId: person.id,
        within: caller.unit.path,
        finish: (tx, importId) =>
          appendAudit(tx.db, {
            at: tx.clock.now(),
            actorId: person.id,
            action: 'api_token.used',
            subjectKind: 'roster_import',
            subjectId: importId,
            details: { ...throughToken(caller), action: 'roster.imported' },
          }),
        ...(query.whole ? { wholeOf: caller.unit.code } : {}),
      })
      return { ...result, importId: result.importId ?? null }
    },
  })
}

function itemOf({ vault, templates }: Runtime, row: Entry, isFull: boolean) {
  const { phoneSealed, programme, ...rest } = row
  return {
    ...rest,
    phone: shownNumbers(vault, { phoneSealed }, isFull ? 'full-token' : 'token').phone,
    roleName: templates.role(programme, row.role).name,
  }
}

/** @throws DomainError `roster.file` when none was sent */
async function fileOf({ request, body }: Call<unknown, unknown, Buffer | undefined>): Promise<RosterFile> {
  if (Buffer.isBuffer(body)) return { name: 'roster.csv', bytes: body }
  const part = request.isMultipart()
    ? await request.file({ limits: { fileSize: MAX_FILE_BYTES } })
    : undefined
  if (!part)
    throw new DomainError('roster.file', '没有收到文件：正文用 text/csv，或 multipart 里放一个文件。')
  return { name: part.filename.slice(0, 200), bytes: await part.toBuffer() }
}
