import {
  type EndingKeep,
  type QuietVolunteer,
  type SendingUniversity,
  takeEndingKeeps,
  takeQuietVolunteers,
} from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { sendingUniversities } from './files.ts'
import { keepRule, volunteerRoles, volunteerRules } from './rules.ts'

const WHY = `学校要跟踪指导服务期内志愿者的工作、生活和成长（${volunteerRules.source}）`

/**
 * Reminds mentors of those in service with whom nobody has been in touch for long, and offices of those who have no
 * mentor or one who cannot be written to, one message each; and tells offices and volunteers of what is kept and ends soon. What was told is written with
 * it: done twice it tells nothing the second time.
 * @returns how many volunteers it was about
 */
export async function remindOfVolunteers(rt: DomainRuntime): Promise<number> {
  return (await remindOfTouches(rt)) + (await remindOfKeeps(rt))
}

/** University after university, so that none waits for all. */
async function remindOfTouches(rt: DomainRuntime): Promise<number> {
  let count = 0
  for (const university of await sendingUniversities(rt)) count += await remindOf(rt, university)
  return count
}

function remindOf(rt: DomainRuntime, university: SendingUniversity): Promise<number> {
  const { afterDays, everyDays } = volunteerRules.touch
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const quiet = await takeQuietVolunteers(
      tx.db,
      { programme: volunteerRules.programme, roles: volunteerRoles(tx.templates) },
      university,
      {
        today: dayOf(now),
        afterDays: afterDays.value,
        everyDays: everyDays.value,
        followsWithinDays: volunteerRules.terms.followsWithinDays.value,
        now,
      },
    )
    if (quiet.length === 0) return 0
    const hasMentor = (each: QuietVolunteer) => each.mentorId !== null && each.isMentorReachable
    const [mentored, others] = [quiet.filter(hasMentor), quiet.filter(each => !hasMentor(each))]
    const messages = [...Map.groupBy(mentored, each => each.mentorId as number)].map(([personId, own]) => ({
      personId,
      text: mentorWords(own),
    }))
    const texts = officeWords(others, tx.publicUrl)
    const officers = await answerersFor(tx, [university.unitId])
    for (const personId of officers.get(university.unitId) ?? [])
      for (const text of texts) messages.push({ personId, text })
    await sendToPersons(tx, messages, 'reminder', afterQuiet(noticeRules.quiet, now))
    return quiet.length
  })
}

function remindOfKeeps(rt: DomainRuntime): Promise<number> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const ending = await takeEndingKeeps(tx.db, {
      today: dayOf(now),
      daysBefore: volunteerRules.keepEnds.daysBefore,
      now,
    })
    const messages = ending
      .filter(each => each.isReachable)
      .map(each => ({ personId: each.personId, text: ownKeepWords(each) }))
    const offices = await answerersFor(
      tx,
      ending.map(each => each.unitId),
    )
    for (const [unitId, own] of Map.groupBy(ending, each => each.unitId))
      for (const personId of offices.get(unitId) ?? [])
        messages.push({ personId, text: officeKeepWords(own, tx.publicUrl) })
    await sendToPersons(tx, messages, 'reminder', afterQuiet(noticeRules.quiet, now))
    return ending.length
  })
}

/** The first lines, and how many more there are. */
function listed<Item>(items: readonly Item[], line: (item: Item) => string): string[] {
  const { value: most } = volunteerRules.touch.named
  return [
    ...items.slice(0, most).map(item => `· ${line(item)}`),
    ...(items.length > most ? [`……共 ${items.length} 人`] : []),
  ]
}

const quietLine = ({ name, days }: QuietVolunteer) => `${name}：${days} 天没有联系的记录`

function mentorWords(own: readonly QuietVolunteer[]): string {
  return [
    `【跟踪服务】您带的志愿者里，有 ${own.length} 位很久没有联系了：`,
    ...listed(own, quietLine),
    `${WHY}，请抽空打个电话、发个消息。联系过了回一句就记下，如：联系 ${own[0]?.name ?? ''} 今天电话，一切都好`,
  ].join('\n')
}

/** Of those without a mentor, and of those whose mentor cannot be reminded. */
function officeWords(own: readonly QuietVolunteer[], publicUrl: string): string[] {
  const page = `${publicUrl}/console/volunteers`
  const words = (of: readonly QuietVolunteer[], why: string, whatToDo: string) =>
    of.length === 0
      ? []
      : [
          [
            `【跟踪服务】有 ${of.length} 位在岗志愿者${why}：`,
            ...listed(of, quietLine),
            `${WHY}，${whatToDo}：${page}`,
          ].join('\n'),
        ]
  return [
    ...words(
      own.filter(each => each.mentorId === null),
      '还没有导师，也很久没有人联系',
      '请为他们请导师',
    ),
    ...words(
      own.filter(each => each.mentorId !== null),
      '很久没有联系了，导师没有绑定账号，收不到提醒',
      '请导师绑定账号，或者先由项目办联系',
    ),
  ]
}

const keepName = (what: string) => keepRule(what)?.name ?? what
const sourceOf = (what: string) => keepRule(what)?.source ?? volunteerRules.source
const leftWords = (days: number) => (days === 0 ? '今天到期' : `还有 ${days} 天到期`)

function ownKeepWords({ what, untilOn, days, unitName }: EndingKeep): string {
  return `【学校保留】您的${keepName(what)}由学校保留到 ${untilOn}，${leftWords(days)}（${sourceOf(what)}）。请早些和${unitName}联系，办好转出或续办。`
}

function officeKeepWords(own: readonly EndingKeep[], publicUrl: string): string {
  return [
    '【学校保留】为志愿者保留的快到期了，请和本人联系办理：',
    ...listed(
      own,
      each => `${each.name}的${keepName(each.what)}：保留到 ${each.untilOn}，${leftWords(each.days)}`,
    ),
    `依据：${[...new Set(own.map(each => sourceOf(each.what)))].join('；')}。办好后在页面上登记：${publicUrl}/console/volunteers`,
  ].join('\n')
}
