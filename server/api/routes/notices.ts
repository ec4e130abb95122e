import { noticesAfter } from '../../../db/queries/api.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitById } from '../../../db/queries/units.ts'
import { noticePolicy } from '../../domain/access/notices.ts'
import { answerOnce } from '../../domain/api-tokens/answer-once.ts'
import { throughToken } from '../../domain/api-tokens/read.ts'
import { CATEGORIES, type Category } from '../../domain/messages/categories.ts'
import { approvalReason, levelOfAuthor, needsApproval } from '../../domain/notices/approval.ts'
import { issueNotice, planReach } from '../../domain/notices/issue.ts'
import { noticeProgress } from '../../domain/notices/progress.ts'
import { type Importance, noticeRules } from '../../domain/notices/rules.ts'
import { groupsTogether } from '../../domain/notices/split.ts'
import { defaultImportance } from '../../domain/notices/timing.ts'
import { DomainError } from '../../errors.ts'
import { notHere } from '../faults.ts'
import { type ApiRoutes, pageOf, type SliceQuery, unitNamed } from '../routes.ts'
import { idParam, list, number, object, ofUnit, paged, slice, text, unitName } from '../schemas.ts'

const noticeFields = {
  id: number('通知编号'),
  ...ofUnit,
  body: text('正文'),
  category: text('类别'),
  authorName: text('谁发的'),
  issuedAt: text('发出时间'),
  deadlineAt: text('截止时间'),
}

const levelItem = object({
  level: text('层级'),
  groups: number('应到的群'),
  posted: number('已到群里，有凭据'),
  received: number('群主已收到，还没转'),
  failed: number('没有人能转，或没有发成'),
})

const issued = object({
  id: number('通知编号'),
  deadlineAt: text('截止时间'),
  groups: number('发往多少个群'),
  owners: number('要群主经手的有几位'),
  ownerless: number('没有群主、到不了的群'),
})

interface NewNotice {
  unit?: string
  body: string
  category: Category
  importance?: Importance
}

/** `GET /notices`, `GET /notices/:noticeId`, `POST /notices`. */
export function noticeRoutes(api: ApiRoutes): void {
  api.get<SliceQuery>('/notices', {
    tag: '通知',
    summary: '通知：本单位和下级发的，以及上级发下来的',
    scope: 'notices:read',
    query: slice,
    answer: { schema: paged(object(noticeFields)) },
    handle: ({ rt, caller, query }) =>
      pageOf(
        query,
        part => noticesAfter(rt.db, { path: caller.unit.path, ...part }),
        row => ({
          ...row,
          issuedAt: row.issuedAt.toISOString(),
          deadlineAt: row.deadlineAt.toISOString(),
        }),
      ),
  })

  api.get<unknown, { noticeId: number }>('/notices/:noticeId', {
    tag: '通知',
    summary: '一条通知和逐级进度',
    description: '上级发下来的通知，只数令牌范围内的群。',
    scope: 'notices:read',
    params: { noticeId: idParam('通知') },
    answer: {
      schema: object({
        ...noticeFields,
        groups: number('应到的群'),
        posted: number('已到的群'),
        levels: list(levelItem),
      }),
    },
    async handle({ rt, caller, params }) {
      const notice = await noticePolicy.find(rt, caller.viewer, params.noticeId)
      if (!notice) throw notHere('通知')
      const [progress, unit] = await Promise.all([
        noticeProgress(rt, caller.viewer.actor, notice.id),
        unitById(rt.db, notice.unitId),
      ])
      return {
        ...notice,
        unitCode: unit?.code ?? '',
        issuedAt: notice.issuedAt.toISOString(),
        deadlineAt: notice.deadlineAt.toISOString(),
        groups: progress.groups,
        posted: progress.posted,
        levels: progress.levels,
      }
    },
  })

  api.post<unknown, unknown, NewNotice>('/notices', {
    tag: '通知',
    summary: '发通知',
    description:
      '以建令牌的人的名义，向单位及下级的所有群发出；要有第二人审核的（省级以上，或到 1000 个群以上）不能由接口发。必须带请求头 `Idempotency-Key`（每条通知一个，如 UUID）：' +
      '同一个键重发，得到同样的回答，不会再发一次（回答带 `Idempotency-Replayed: true`）。',
    scope: 'notices:write',
    headers: {
      type: 'object',
      required: ['idempotency-key'],
      properties: {
        'idempotency-key': {
          type: 'string',
          minLength: 8,
          maxLength: 200,
          description: '这条通知自己的键',
        },
      },
    },
    body: {
      type: 'object',
      required: ['body'],
      properties: {
        unit: { ...unitName, description: '以哪个单位的名义：单位编码或编号；不写是令牌的单位' },
        body: { type: 'string', minLength: 1, maxLength: 2000, description: '正文，最多 2000 字节' },
        category: { type: 'string', enum: [...CATEGORIES], default: '其他', description: '类别' },
        importance: {
          type: 'string',
          enum: noticeRules.importances.map(rule => rule.id),
          description: '紧要程度：normal 普通，same-day 当天，urgent 紧急；不写按体系的规定',
        },
      },
    },
    answer: { status: 201, schema: issued },
    async handle({ rt, caller, body, request, reply }) {
      const unit = await unitNamed(rt, caller, body.unit)
      const importance = body.importance ?? defaultImportance(rt.templates.programme(unit.programme))
      const input = { unitId: unit.id, body: body.body, category: body.category, importance }
      const { answer, isRepeated } = await answerOnce(
        rt,
        {
          tokenId: caller.tokenId,
          key: String(request.headers['idempotency-key']),
          kind: 'api.notice',
          asked: input,
        },
        async tx => {
          const { groups } = await planReach(tx, unit)
          // a program is no second person
          const level = levelOfAuthor(tx.templates, caller.viewer.actor, unit)
          const together = await groupsTogether(
            tx,
            { authorId: caller.viewer.actor.person.id, body: body.body, sendAt: null, draftId: null },
            groups,
          )
          const facts = { level, groups: together.groups }
          if (needsApproval(noticeRules, facts))
            throw new DomainError(
              'notice.needs_approval',
              `${approvalReason(facts, groups)}，不能由接口直接发出，请在网页或聊天里写。`,
            )
          const notice = await issueNotice(tx, caller.viewer.actor, input)
          await appendAudit(tx.db, {
            at: tx.clock.now(),
            actorId: caller.viewer.actor.person.id,
            action: 'api_token.used',
            subjectKind: 'notice',
            subjectId: notice.id,
            details: { ...throughToken(caller), action: 'notice.issued' },
          })
          return {
            id: notice.id,
            deadlineAt: notice.deadlineAt.toISOString(),
            groups: notice.groups,
            owners: notice.owners,
            ownerless: notice.ownerless,
          }
        },
      )
      if (isRepeated) reply.header('idempotency-replayed', 'true')
      return reply.code(201).send(answer)
    },
  })
}
