import type { UnitRow } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { SheetPlan } from '../reports/sheet-plan.ts'

/** How often a form is filled in: its period is `YYYY-MM`, the later of two months (`YYYY-MM`), or `YYYY`. */
export type FormRhythm = 'month' | 'two-months' | 'year'

/** Who fills a form in, as printed in its head; empty prints a blank to fill in by hand. */
export interface FilledBy {
  name: string
  contact: string
}

/** Phone numbers and accounts of persons: `masked` on a page, `whole` in a file, which is noted. */
export type Numbers = 'masked' | 'whole'

/** A form that is drawn: shown on its page, and offered as a picture file. */
export interface FormPicture {
  /** A whole SVG document. */
  svg: string
  width: number
  height: number
  /** What it shows, for those who do not see it. */
  words: string
}

/** One of the official forms (报表): what it is called, who fills it in, and how it is made of the data. */
export interface OfficialForm {
  /** Also the name of its layout in `templates/forms`, where its due day stands. */
  id: string
  /** As people call it, such as 跟踪摸底表; unique in its programme. */
  name: string
  programme: string
  /** The levels of the units that have one of their own. */
  levels: readonly string[]
  /** Those of them that send it up; all of them when left out. */
  senders?: readonly string[]
  rhythm: FormRhythm
  /** It is signed with the month (签报), and its day moves with the days of one that was begun late. */
  isOfTheMonth?: true
  /**
   * Makes the whole sheet: counted from the data, placed in cells (`build-plan.ts`). The XLSX, the page and the picture
   * are drawn from it. A cell whose number is made of records says in `behind` where they are listed.
   * @param period as `rhythm` says
   */
  plan(
    rt: DomainRuntime,
    unit: UnitRow,
    period: string,
    filledBy: FilledBy,
    numbers: Numbers,
  ): Promise<SheetPlan>
  /** The page where what no record holds is filled in. */
  fillIn?(unit: UnitRow, period: string): { path: string; words: string }
  picture?(rt: DomainRuntime, unit: UnitRow, period: string, size?: 'desk' | 'phone'): Promise<FormPicture>
}
