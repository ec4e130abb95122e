import {
  type EndingKeep,
  type QuietVolunteer,
  takeEndingKeeps,
  takeQuietVolunteers,
} from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { keepRule, volunteerRoles, volunteerRules } from './rules.ts'

const WHY = `学校要跟踪指导服务期内志愿者的工作、生活和成长（${volunteerRules.source}）`

/**
 * Reminds mentors of those in service with whom nobody has been in touch for long, and offices of those who have no
 * mentor, one message each; and tells offices and volunteers of what is kept and ends soon. What was told is written with
 * it: done twice it tells nothing the second time.
 * @returns how many volunteers it was about
 */
export async function remindOfVolunteers(rt: DomainRuntime): Promise<number> {
  return (await remindOfTouches(rt)) + (await remindOfKeeps(rt))
}

function remindOfTouches(rt: DomainRuntime): Promise<number> {
  const { afterDays, everyDays } = volunteerRules.touch
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const quiet = await takeQuietVolunteers(
      tx.db,
      { programme: volunteerRules.programme, roles: volunteerRoles(tx.templates) },
      { today: dayOf(now), afterDays: afterDays.value, everyDays: everyDays.value, now },
    )
    const messages: { personId: number; text: string }[] = []
    const [mentored, alone] = [
      quiet.filter(each => each.mentorId !== null),
      quiet.filter(each => each.mentorId === null),
    ]
    for (const [mentorId, own] of Map.groupBy(mentored, each => each.mentorId as number))
      messages.push({ personId: mentorId, text: mentorWords(own) })
    const offices = await answerersFor(
      tx,
      alone.map(each => each.unitId),
    )
    for (const [unitId, own] of Map.groupBy(alone, each => each.unitId))
      for (const personId of offices.get(unitId) ?? [])
        messages.push({ personId, text: officeWords(own, tx.publicUrl) })
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

function officeWords(own: readonly QuietVolunteer[], publicUrl: string): string {
  return [
    `【跟踪服务】有 ${own.length} 位在岗志愿者还没有导师，也很久没有人联系：`,
    ...listed(own, quietLine),
    `${WHY}，请为他们请导师：${publicUrl}/console/volunteers`,
  ].join('\n')
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
