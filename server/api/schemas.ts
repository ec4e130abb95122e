/** A piece of JSON Schema, for checking requests, for writing answers (nothing else goes out), and for the description. */
export type Schema = Record<string, unknown>

export const text = (description: string): Schema => ({ type: 'string', description })
export const number = (description: string): Schema => ({ type: 'integer', description })
export const flag = (description: string): Schema => ({ type: 'boolean', description })
export const maybeText = (description: string): Schema => ({ type: ['string', 'null'], description })
export const maybeNumber = (description: string): Schema => ({ type: ['integer', 'null'], description })

export function object(properties: Record<string, Schema>, description?: string): Schema {
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    required: Object.keys(properties),
    properties,
  }
}

export const list = (items: Schema): Schema => ({ type: 'array', items })

/** One page of a list. */
export const paged = (item: Schema): Schema =>
  object({
    items: list(item),
    next: maybeNumber('下一页的 after；null 表示已到末尾'),
  })

export const fault = object({ code: text('给程序看的代号'), message: text('给人看的中文说明') }, '没有办成')

/** What every list can be asked for. */
export const slice: Record<string, Schema> = {
  after: {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: '从这个编号之后取，用上一页的 next',
  },
  limit: { type: 'integer', minimum: 1, maximum: 500, default: 100, description: '一页多少条' },
}

const CODE_OR_ID = { type: 'string', minLength: 1, maxLength: 80 }
export const unitFilter: Schema = {
  ...CODE_OR_ID,
  description: '只要这个单位及下级的：单位编码或编号；不写是令牌的整个范围',
}
export const unitName: Schema = { ...CODE_OR_ID, description: '单位编码（先认）或编号' }
export const idParam = (what: string): Schema => ({
  type: 'integer',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: `${what}的编号`,
})
export const month: Schema = {
  type: 'string',
  pattern: '^\\d{4}-(0[1-9]|1[0-2])$',
  description: '月份，如 2026-09',
}

/** The unit that something belongs to. */
export const ofUnit: Record<string, Schema> = {
  unitId: number('单位编号'),
  unitCode: text('单位编码'),
  unitName: text('单位名称'),
}
