import type { Templates } from '../../templates.ts'

/** The name of a county's 公共号 as the programme wants it, such as 青农榆阳; null where it has no rule. */
export function accountNaming(
  templates: Templates,
  programme: string,
): { pattern: string; example: string; source: string } | null {
  const account = templates.programme(programme).accounts.find(each => each.use === 'run')
  return account?.naming ?? null
}

/** Whether a name obeys the naming rule of accounts (榆林团市委 2014 四.(三)后段: 统一为“青农XX”); a flag, never a block. */
export function obeysNaming(templates: Templates, programme: string, name: string): boolean {
  const rule = accountNaming(templates, programme)
  return rule === null || new RegExp(rule.pattern, 'u').test(name)
}
