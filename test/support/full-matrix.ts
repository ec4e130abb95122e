import { insertNoticeFile } from '../../db/queries/notice-files.ts'
import { insertRecordFile } from '../../db/queries/record-files.ts'
import { insertAdministrator } from '../../db/queries/sessions.ts'
import { insertSlipFile } from '../../db/queries/slips.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { personId, signIn, type Visitor } from './console.ts'
import { applyDraftOf } from './drafts.ts'
import { bindFirst, bindThrough, claimGroup, fillMatrix, groupNumber, rows } from './matrix.ts'
import type { Stage } from './stage.ts'

/** One black dot, as a PNG. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)

/** A county with one of everything that a page can show, another county that must see none of it, and who looks. */
export interface FullMatrix {
  /** Ids of things of 榆阳区 and below, by the parameter of the path that names them. */
  things: Record<string, number | string>
  /** Things of the volunteers' programme in 榆阳区. */
  xibu: Record<string, number>
  visitors: {
    /** City and county officers, and an owner, of 榆阳区. */
    city: Visitor
    county: Visitor
    owner: Visitor
    branch: Visitor
    /** The officer of 定边县, an owner there. */
    otherCounty: Visitor
    otherOwner: Visitor
    /** An officer of 校项目办 of a university that has sent 周支书. */
    university: Visitor
    /** A volunteer without any office. */
    member: Visitor
    administrator: Visitor
  }
  /** Words that only those who may see 榆阳区 may meet on any page. */
  secrets: string[]
}

export async function fillConsole(stage: Stage): Promise<FullMatrix> {
  await fillMatrix(stage)
  const { sim, rt } = stage
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const gao = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
  const lin = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
  const ding = sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
  const wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang', openId: 'o-wang' })
  const he = sim.addPerson({ name: '贺圈书', wecomUserId: 'he' })
  const liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
  const zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
  const zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
  await bindFirst(stage, gao, 'qingnong', '610800')
  await bindFirst(stage, liu, 'xibu', '610800')
  for (const [officer, person] of [
    [gao, lin],
    [gao, ding],
    [lin, wang],
    [ding, he],
    [liu, zhao],
    [zhao, zhou],
  ] as const)
    await bindThrough(stage, officer, person)

  const groupId = groupNumber(
    await say(wang, '建群 团青群 微信群 86人 镇川羊倌群 入群码 https://example.cn/q'),
  )
  await say(he, '建群 团青群 微信群 30人 贺圈青年群 入群码 https://example.cn/h')
  const branch = await claimGroup(stage, zhou, '榆阳沙柳支部群', '团支部群')
  const wechat = groupNumber(await say(zhou, '建群 团支部群 微信群 3人 沙柳备用群 入群码 拉人'))

  const girl = sim.addPerson({ name: '古丽', openId: 'o-girl', externalUserId: 'wm-girl' })
  await say(girl, `入群 ${branch.number} 阿依古丽·买买提 1380000000`)
  const zhang = sim.addPerson({ name: '张思雨', openId: 'o-zhang', externalUserId: 'wm-zhang' })
  await say(zhang, `入群 ${branch.number} 张思雨 13800000006`)
  const stranger = sim.addPerson({ name: '卖保险的', externalUserId: 'wm-stranger' })
  await stage.settle()
  sim.joinGroup(branch.chat.id, stranger.id)
  await sim.idle()
  stage.clock.advance(3000)
  await stage.settle()

  await say(lin, '通知 便民 羊绒收购点明日开秤')
  await say(lin, '确认')
  await say(zhao, '通知 政策 沙柳支部报到须知')
  await say(zhao, '确认')
  await stage.settle()
  await say(wang, `登记 ${groupId} 致富 3条`)
  await say(wang, '活动 技能培训 35人 羊圈小学 9月5日')
  await say(wang, '上报 困难 羊圈小学门口的路塌了，孩子们上学要绕行')
  await say(wang, '确认')
  await say(wang, '填报 团支部 12 团干部 36 团员青年 480')
  await stage.settle()

  const one = async (query: string) => Number((await rows<{ id: string }>(stage, query))[0]?.id ?? 0)
  const unit = (programme: string, code: string) =>
    one(`select id from units where programme = '${programme}' and code = '${code}'`)
  const administratorId = await one(
    `insert into persons (name, name_key, sound_key, created_at) values ('管系统', '管系统', 'guan xi tong', now()) returning id`,
  )
  await insertAdministrator(rt.db, administratorId, rt.clock.now())
  const requestId = await one(`select id from join_requests where decision = 'referred' order by id limit 1`)
  const volunteer = await one(`select person_id as id from identities where address = 'o-zhang'`)
  const slipId = await one('select id from slips')
  const pictureId = await insertSlipFile(rt.db, {
    slipId,
    name: '路.png',
    mime: 'image/png',
    size: DOT.length,
    bytesSealed: rt.vault.seal(DOT.toString('base64')),
    createdAt: rt.clock.now(),
  })
  const county = await signIn(stage, '林县书')
  const unitId = await unit('qingnong', '610802')
  const file = async (name: string, title: string) => {
    const csv = `单位编码,姓名,手机号,角色,职务,状态\n610802102,马黄梁,13900000013,乡镇团委成员,${title},在岗\n`
    const { location } = await county.upload(
      '/console/imports/new',
      { field: 'file', name, bytes: Buffer.from(csv) },
      { unit: String(unitId) },
    )
    if (!location) throw new Error('the file was not taken')
    return location
  }
  const applied = await applyDraftOf(county, await file('榆阳花名册.csv', '团委副书记'))
  const importId = Number(/\/console\/imports\/(\d+)$/.exec(applied)?.[1])
  const draftId = Number(/drafts\/(\d+)$/.exec(await file('榆阳补充名册.csv', '团委书记'))?.[1])
  await county.post('/console/schedule/adopt', {
    unit: String(unitId),
    schedule: 'qingnong-2014',
    year: '2026',
    deed: 'adopt',
    'on-youth-groups': 'yes',
  })
  const noticeId = await one(`select id from notices where body like '%羊绒%'`)
  await rows(
    stage,
    `update notices set ask = '{"kind":"file","question":"请报收购点名单"}' where id = ${noticeId}`,
  )
  await (await signIn(stage, '王镇川')).upload(
    `/me/notices/${noticeId}/answer`,
    { field: 'file', name: '收购点.txt', bytes: Buffer.from('镇政府旁') },
    { unit: '' },
  )
  const poster = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('poster')])
  const written = await county.upload(
    '/console/notices/preview',
    { field: 'files', name: '羊绒海报.jpg', bytes: poster },
    { unit: String(unitId), body: '羊绒收购点下周搬到镇政府院内' },
  )
  const noticeDraftId = Number(/drafts\/(\d+)$/.exec(written.location ?? '')?.[1])
  const fileId = await insertNoticeFile(rt.db, {
    noticeId,
    kind: 'picture',
    name: '羊绒.jpg',
    mime: 'image/jpeg',
    size: poster.length,
    hash: 'a'.repeat(64),
    bytesSealed: rt.vault.seal(poster.toString('base64')),
    uploadedBy: await personId(stage, '林县书'),
    createdAt: rt.clock.now(),
  })
  await insertRecordFile(rt.db, {
    kind: 'proof',
    updateId: await one('select update_id as id from message_records where update_id is not null limit 1'),
    name: '证明.jpg',
    mime: 'image/jpeg',
    size: poster.length,
    hash: 'b'.repeat(64),
    bytesSealed: rt.vault.seal(poster.toString('base64')),
    uploadedBy: await personId(stage, '王镇川'),
    createdAt: rt.clock.now(),
  })
  await county.post('/console/api-tokens', {
    name: '榆阳台帐对接',
    unit: String(unitId),
    scopes: 'units:read',
    until: '2026-12-31',
  })
  const officeId = await one(`
    insert into units (programme, code, name, kind, level, parent_id, path, created_at)
    select 'xibu', '10424', '山东科技大学校项目办', 'university-office', 'university', id, '', now()
    from units where programme = 'xibu' and kind = 'province-office' limit 1 returning id`)
  await rows(
    stage,
    `update units u set path = above.path || u.id || '/' from units above where u.id = ${officeId} and above.id = u.parent_id`,
  )
  const universityOfficer = await one(
    `insert into persons (name, name_key, sound_key, created_at) values ('孙校办', '孙校办', 'sun xiao ban', now()) returning id`,
  )
  await rows(
    stage,
    `insert into roles (person_id, unit_id, role, started_at) values (${universityOfficer}, ${officeId}, 'university-league-head', now())`,
  )
  const runId = await one(`
    insert into subsidy_runs (unit_id, year, way, status, made_by, made_at, checked_by, checked_at)
    values (${officeId}, 2026, 'wechat', 'approved', ${universityOfficer}, now(), ${administratorId}, now()) returning id`)
  const paymentId = await one(`
    with item as (
      insert into subsidy_items (run_id, person_id, name, place, is_out_of_province, starts_on, fen)
      values (${runId}, ${volunteer}, '张思雨', '陕西省榆林市', true, '2026-08-01', 600000) returning id
    ) insert into pay_bills (item_id, run_id, number, fen, order_sealed, state, waiting_since, created_at, updated_at)
    select id, ${runId}, 'QZ1T1', 600000, '${rt.vault.seal('{}')}', 'waiting', now(), now(), now() from item returning id`)
  const volunteerId = await one(`
    insert into volunteer_files (unit_id, person_id, year, created_at)
    select ${officeId}, id, 2026, now() from persons where name = '周支书' returning id`)
  return {
    things: {
      unitId,
      groupId,
      noticeId,
      noticeDraftId,
      draftFileId: await one(`select id from notice_files where draft_id = ${noticeDraftId}`),
      fileId,
      answerId: await one('select id from notice_answers order by id limit 1'),
      recordId: await one('select id from message_records order by id limit 1'),
      readyPostId: await one(`
        insert into ready_posts (unit_id, category, body, written_by, created_at, ends_at)
        select u.id, '便民服务', '羊绒收购点名单已经更新，请到镇政府院内看公示。', p.id, '2026-09-01', '2027-01-01'
        from units u, persons p where u.code = '610802' and u.programme = 'qingnong' and p.name = '林县书' returning id`),
      recordFileId: await one('select id from record_files order by id limit 1'),
      personId: await personId(stage, '王镇川'),
      importId,
      draftId,
      requestId,
      taskId: await one('select id from tasks order by id limit 1'),
      findingId: await one('select id from tasks where group_id is not null order by id limit 1'),
      handOverId: await one(`
        with taken as (
          insert into hand_overs (unit_id, from_id, to_id, status, due_on, created_at)
          select u.id, giver.id, taker.id, 'open', '2026-09-14', now() from units u, persons giver, persons taker
          where u.code = '610802101' and giver.name = '李镇川' and taker.name = '王镇川' returning id
        ) insert into hand_over_items (hand_over_id, kind, is_by_hand, count) select id, 'files', true, 0 from taken
        returning hand_over_id as id`),
      contactId: await one(`
        insert into contacts (person_id, office_id, unit_id, since_on, assigned_by)
        select p.id, office.id, branch.id, '2026-09-01', p.id from persons p, units office, units branch
        where p.name = '刘市办' and office.kind = 'city-office' and branch.name = '榆阳区第一团支部' returning id`),
      volunteerId,
      runId,
      billId: paymentId,
      paymentId,
      tokenId: await one('select id from api_tokens order by id limit 1'),
      sessionId: await one(
        `select id from sessions where person_id = (select id from persons where name = '林县书') order by id limit 1`,
      ),
      scheduleId: await one('select id from work_schedules order by id limit 1'),
      accountId: await one(`
        insert into unit_accounts (unit_id, name, kind, manager_name, written_by, written_at)
        select u.id, '青农榆阳', 'subscription', p.name, p.id, '2026-09-01' from units u, persons p
        where u.code = '610802' and u.programme = 'qingnong' and p.name = '林县书' returning id`),
      formId: 'tracking-sheet',
      period: '2026-09',
      year: '2026',
      stepId: await one('select id from work_schedule_steps order by id limit 1'),
      alarmId: await one(
        `insert into alarms (cause, words, times, first_at, last_at) values ('test', '试一试', 1, now(), now()) returning id`,
      ),
      updateId: await one('select id from updates order by id limit 1'),
      outgoingId: await one('select id from outgoing_messages order by id limit 1'),
      slipId,
      pictureId,
      // of some days ago: what 王镇川 says now is no word of it
      callId: await one(`
        with call as (
          insert into danger_calls (identity_id, person_id, unit_id, status, stage, created_at)
          select i.id, i.person_id, u.id, 'open', 'first', '2026-09-01' from identities i, units u
          where i.address = 'wang' and u.code = '610802101' returning id
        ), said as (
          insert into danger_steps (call_id, kind, text_sealed, at)
          select id, 'said', '${rt.vault.seal('羊圈小学有孩子落水，13800138000')}', '2026-09-01' from call
        ) insert into danger_steps (call_id, kind, person_id, at)
        select call.id, 'told', p.id, '2026-09-01' from call, persons p where p.name = '林县书' returning call_id as id`),
      claimId: await one(`
        insert into alert_verdicts (alert, source, text_hash, text_sealed, verdict, unit_id, claimed_by, claimed_at, asked_ids)
        select 'secret', 'notice', 'test', '${rt.vault.seal('羊绒收购底价')}', 'asked', u.id, w.id, now(), json_build_array(l.id)::jsonb
        from units u, persons w, persons l
        where u.code = '610802' and u.programme = 'qingnong' and w.name = '王镇川' and l.name = '林县书' returning id`),
      rehearsalId: await one(`
        insert into rehearsals (unit_id, asked_by, status, settings, result, created_at, ended_at)
        select u.id, p.id, 'done', '{}', json_build_object('issuedAt', '2026-09-07T01:00:00Z', 'deadlineAt',
          '2026-09-07T14:00:00Z', 'groups', 2, 'groupsInAll', 2, 'persons', 3, 'reached', 1, 'curve', '[[0,0,0,1],[90,1,1,2]]'::json,
          'minutesTo', '{"half":90,"ninety":null,"ninetyNine":null}'::json, 'levels', '[{"level":"township","groups":2,"reached":1}]'::json,
          'dryUnits', json_build_array(json_build_object('unitId', u.id, 'groups', 2, 'dry', 1)),
          'messages', '[{"count":2,"persons":3}]'::json, 'mostMessages', 2, 'mostParts', 3,
          'unreached', json_build_array(json_build_object('groupId', ${groupId}, 'why', 'no-second-contact')),
          'mend', json_build_array(json_build_object('id', 'no-second-contact', 'groups', 1, 'dry', 1, 'groupIds', json_build_array(${groupId}))),
          'refused', 0, 'seconds', 1), now(), now()
        from units u, persons p where u.code = '610802' and u.programme = 'qingnong' and p.name = '林县书' returning id`),
      month: '2026-09',
    },
    xibu: {
      unitId: await unit('xibu', '610802'),
      groupId: branch.number,
      noticeId: await one(`select id from notices where body like '%沙柳%'`),
      personId: await personId(stage, '周支书'),
      requestId,
      wechatGroupId: wechat,
    },
    visitors: {
      city: await signIn(stage, '高市书'),
      county,
      owner: await signIn(stage, '王镇川'),
      branch: await signIn(stage, '周支书'),
      otherCounty: await signIn(stage, '丁县书'),
      otherOwner: await signIn(stage, '贺圈书'),
      university: await signIn(stage, universityOfficer),
      member: await signIn(stage, volunteer),
      administrator: await signIn(stage, administratorId),
    },
    secrets: [
      '榆阳花名册',
      '榆阳补充名册',
      '榆阳台帐对接',
      '王镇川',
      '镇川羊倌群',
      '羊绒',
      '沙柳',
      '阿依古丽',
      '羊圈小学',
      '卖保险的',
      '周支书',
    ],
  }
}
