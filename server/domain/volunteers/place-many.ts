import { appendAudit } from '../../../db/queries/platform.ts'
import { childUnits } from '../../../db/queries/units.ts'
import {
  changeMentor,
  type NamedFile,
  placeVolunteer,
  reachableOf,
  volunteersNamed,
} from '../../../db/queries/volunteers.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { universityKey } from '../groups/facts.ts'
import { nameKey } from '../names/name-key.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { checkYear } from './files.ts'
import { requireOffice, type VolunteerOffice } from './offices.ts'
import { volunteerRules } from './rules.ts'
import { mentorsFor, mentorWords, ownMentorWords } from './write.ts'

const MOST_LINES = 1000
/** Faults that are named at once. */
const MOST_FAULTS = 8

interface Line {
  name: string
  college: string
  year: string
  mentor: string
}

interface Change {
  file: NamedFile
  collegeId: number | null
  year: number | null
  /** undefined: as it is. */
  mentor: { personId: number; name: string } | undefined
}

/**
 * Says colleges, years and mentors of many, as their columns are copied from a spreadsheet: 姓名, 院系, 毕业年份, 导师, one
 * person a line; what is empty stays as it is. One line that cannot be understood, and nothing is written. Each mentor is
 * told once.
 * @returns how many were changed
 * @throws DomainError `rights.missing`, `volunteer.lines`
 */
export function placeMany(
  rt: DomainRuntime,
  actor: KnownActor,
  { officeId, text }: { officeId: number; text: string },
): Promise<number> {
  return inTransaction(rt, async tx => {
    const office = await requireOffice(tx, actor, officeId)
    const lines = linesOf(text)
    if (lines.length === 0)
      throw new DomainError('volunteer.lines', '请粘贴表格里的几行：姓名、院系、毕业年份、导师。')
    if (lines.length > MOST_LINES) throw new DomainError('volunteer.lines', `一次请不超过 ${MOST_LINES} 行。`)
    const changes = await changesOf(tx, office, lines)
    await write(tx, actor, office, changes)
    return changes.length
  })
}

/** Columns stand apart by tabs, as a spreadsheet copies them, or by commas. A head and empty lines are left out. */
function linesOf(text: string): Line[] {
  return text.split(/\r?\n/).flatMap(line => {
    const [name = '', college = '', year = '', mentor = ''] = line
      .split(line.includes('\t') ? '\t' : /[,，]/)
      .map(cell => cell.trim())
    return name === '' || name === '姓名' ? [] : [{ name, college, year, mentor }]
  })
}

/** @throws DomainError `volunteer.lines` with what is wrong in which line */
async function changesOf(
  tx: DomainRuntime,
  office: VolunteerOffice,
  lines: readonly Line[],
): Promise<Change[]> {
  const { university, college } = office
  const files = Map.groupBy(
    await volunteersNamed(tx.db, { unitId: university.id, collegeId: college?.id }, [
      ...new Set(lines.map(line => nameKey(line.name))),
    ]),
    file => file.nameKey,
  )
  const colleges = new Map(
    (await childUnits(tx.db, university.id))
      .filter(unit => unit.kind === volunteerRules.collegeKind)
      .map(unit => [universityKey(unit.name), unit.id]),
  )
  const possible = new Map<number | null, Awaited<ReturnType<typeof mentorsFor>>>()
  const changes: Change[] = []
  const faults: string[] = []
  const seen = new Set<number>()
  for (const line of lines) {
    try {
      const file = fileOf(line, files.get(nameKey(line.name)) ?? [])
      if (seen.has(file.fileId)) throw new DomainError('volunteer.lines', '写了两行。')
      seen.add(file.fileId)
      const collegeId = collegeOf(line, file, office, colleges)
      if (!possible.has(collegeId))
        possible.set(collegeId, await mentorsFor(tx, { unitId: university.id, collegeId }))
      changes.push({
        file,
        collegeId,
        year: yearOf(tx, line, file),
        mentor: mentorOf(line, file, possible.get(collegeId) ?? []),
      })
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      faults.push(`${line.name}：${error.message}`)
    }
  }
  if (faults.length === 0) return changes
  const more = faults.length > MOST_FAULTS ? `……共 ${faults.length} 处` : ''
  throw new DomainError(
    'volunteer.lines',
    `还没有写入，请改好再粘贴。${faults.slice(0, MOST_FAULTS).join(' ')}${more}`,
  )
}

function fileOf({ name }: Line, found: readonly NamedFile[]): NamedFile {
  const [file] = found
  if (!file) throw new DomainError('volunteer.lines', `没有“${name}”。`)
  if (found.length > 1)
    throw new DomainError(
      'volunteer.lines',
      `有 ${found.length} 位叫${name}，请去掉这一行，到各自的页面上改。`,
    )
  return file
}

function collegeOf(
  { college }: Line,
  file: NamedFile,
  office: VolunteerOffice,
  colleges: ReadonlyMap<string, number>,
): number | null {
  if (college === '') return file.collegeId
  const id = colleges.get(universityKey(college))
  if (id === undefined) throw new DomainError('volunteer.lines', `本校没有“${college}”的项目办。`)
  if (office.college && id !== file.collegeId) throw new DomainError('volunteer.lines', '院系请校项目办改。')
  return id
}

/** @throws DomainError `volunteer.year` */
function yearOf(tx: DomainRuntime, { year }: Line, file: NamedFile): number | null {
  if (year === '') return file.year
  const number = Number(/^(\d{4})\s*[年届]?$/.exec(year)?.[1] ?? Number.NaN)
  checkYear(tx, number)
  return number
}

function mentorOf({ mentor }: Line, file: NamedFile, possible: Awaited<ReturnType<typeof mentorsFor>>) {
  if (mentor === '') return undefined
  const found = possible.filter(
    each => nameKey(each.name) === nameKey(mentor) && each.personId !== file.personId,
  )
  if (found.length > 1) throw new DomainError('volunteer.lines', `有几位叫${mentor}，导师请到他的页面上选。`)
  if (!found[0])
    throw new DomainError('volunteer.lines', `“${mentor}”不是学校的导师或项目办的同志，请先记入名册。`)
  return found[0]
}

async function write(
  tx: DomainRuntime,
  actor: KnownActor,
  { university }: VolunteerOffice,
  changes: readonly Change[],
): Promise<void> {
  const now = tx.clock.now()
  const by = { personId: actor.person.id, today: dayOf(now) }
  const log = (personId: number, action: string, details: Record<string, unknown>) =>
    appendAudit(tx.db, {
      ...{ at: now, actorId: actor.person.id, action, subjectKind: 'person', subjectId: personId },
      details: { unitId: university.id, ...details },
    })
  const named: { mentor: { personId: number; name: string }; file: NamedFile }[] = []
  for (const { file, collegeId, year, mentor } of changes) {
    if (collegeId !== file.collegeId || year !== file.year) {
      await placeVolunteer(tx.db, file.fileId, { collegeId, year })
      await log(file.personId, 'volunteer.placed', { collegeId, year })
    }
    if (!mentor || !(await changeMentor(tx.db, file.fileId, mentor.personId, by))) continue
    await log(file.personId, 'volunteer.mentor_named', { mentorId: mentor.personId })
    named.push({ mentor, file })
  }
  const messages = [
    ...[...Map.groupBy(named, each => each.mentor.personId)].map(([personId, own]) => ({
      personId,
      text: mentorWords(
        university.name,
        own.map(each => each.file.name),
      ),
    })),
    ...named.map(({ mentor, file }) => ({
      personId: file.personId,
      text: ownMentorWords(university.name, mentor.name),
    })),
  ]
  const reachable = await reachableOf(tx.db, [...new Set(messages.map(each => each.personId))])
  await sendToPersons(
    tx,
    messages.filter(each => reachable.has(each.personId)),
    'task',
  )
}
