import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { registerInOpenGroup } from '../../../db/queries/roster.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { recallRegistration } from '../identities/registered-account.ts'
import { nameKey, soundKey } from '../names/name-key.ts'

export interface Registration {
  name: string
  /** `home` 在乡 or `away` 外出. */
  residence: string
  /** A figure of the tracking sheet, such as `membersHome.farming`. */
  occupation: string
}

/** How people say where they live and what they do, as the programme's template lists it. */
export interface OccupationChoice {
  residence: string
  residenceName: string
  occupation: string
  name: string
}

/** The occupations of the tracking sheet (榆林团市委 2014 附件3) in its order. */
export function occupationChoices(rt: DomainRuntime, programme: string): OccupationChoice[] {
  return (rt.templates.programme(programme).residences ?? []).flatMap(residence =>
    residence.occupations.map(each => ({
      residence: residence.id,
      residenceName: residence.name,
      occupation: each.figure,
      name: each.name,
    })),
  )
}

/** What people say instead of the words of the sheet. Source: project assumption. */
const SAID: [RegExp, string][] = [
  [/在家|在村里?|本村|本地/, '在乡'],
  [/在外地?|外地/, '外出'],
  [/种地|种田|养殖|种植/, '务农'],
  [/打工|上班/, '务工'],
  [/做生意|开店/, '经商'],
  [/上学|读书|学生/, '就学'],
]

const packedWords = (text: string) => text.replace(/[\s,，、。;；:：+]/g, '').trim()

/** What a tap or a few words say where the name is known or asked for by itself: `1`, `在乡务农`, `外出打工`. */
export function parseChoice(choices: OccupationChoice[], text: string): OccupationChoice | null {
  const packed = packedWords(text)
  if (/^\d{1,2}$/.test(packed)) return choices[Number(packed) - 1] ?? null
  const said = [packed, SAID.reduce((words, [from, to]) => words.replace(from, to), packed)]
  return choices.find(choice => said.includes(`${choice.residenceName}${choice.name}`)) ?? null
}

/** The name that somebody gives when asked for it alone (`我叫张小明`); null when it is none. */
export function readOwnName(text: string): string | null {
  const name = packedWords(text).replace(/^(?:我叫|我是|姓名)/, '')
  return NAME.test(name) ? name : null
}

const NAME = /^[\p{Script=Han}·•]{2,15}$/u

/**
 * Who and what `张小明 在乡 务农`, `张小明1`, `张小明，外出打工` says: the choices of the sheet by name or by number. null when
 * either is missing.
 */
export function parseRegistration(
  choices: OccupationChoice[],
  text: string,
): { name: string; choice: OccupationChoice } | null {
  const packed = packedWords(text.replace(/^(?:我叫|我是|姓名[:：]?)/, ''))
  const numbered = /^(\D+?)(\d{1,2})$/.exec(packed)
  const byNumber = numbered && choices[Number(numbered[2]) - 1]
  if (numbered && byNumber) return { name: numbered[1] as string, choice: byNumber }
  for (const words of [packed, SAID.reduce((said, [from, to]) => said.replace(from, to), packed)])
    for (const choice of choices) {
      const what = `${choice.residenceName}${choice.name}`
      const name = words.replace(what, '')
      if (name !== words && name !== '') return { name, choice }
    }
  return null
}

/**
 * Somebody registers in an open group (团青群: no roster to audit against, 榆林团市委 2014 四.(一)). The account is taken at
 * its word and gets no rights from it; a person is counted once, in their township.
 * @throws DomainError `registration.name`
 */
export async function selfRegister(
  rt: DomainRuntime,
  actor: Actor,
  group: GroupWithUnit,
  registration: Registration,
): Promise<{ answer: string }> {
  const name = registration.name.trim()
  if (!NAME.test(name)) throw new DomainError('registration.name', '请写您的姓名（2 到 15 个汉字）。')
  await registerInOpenGroup(rt.db, {
    identityId: actor.identityId,
    // whoever comes back after leaving is the same registration
    personId: actor.person?.id ?? (await recallRegistration(rt, { ...actor, id: actor.identityId })),
    name,
    nameKey: nameKey(name),
    soundKey: soundKey(name),
    unitId: await townshipOf(rt, group),
    groupId: group.id,
    residence: registration.residence,
    occupation: registration.occupation,
    now: rt.clock.now(),
  })
  const how = group.joinCode ? `入群方式：${group.joinCode}` : `请联系群主${group.ownerName ?? ''}拉您入群。`
  return { answer: `${name}，登记好了。欢迎加入“${group.name}”！${how}` }
}

/** The township in which a group's members count: that of a village for its group, else the group's own unit. */
async function townshipOf(rt: DomainRuntime, group: GroupWithUnit): Promise<number> {
  const { level } = rt.templates.unitKind(group.programme, group.unitKind)
  if (level !== 'village') return group.unitId
  const village = await unitById(rt.db, group.unitId)
  return village?.parentId ?? group.unitId
}
