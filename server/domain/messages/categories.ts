/** The five columns of the tracking sheet (青农榆林 附件3, 发送微信数), in the printed order. */
export const CATEGORIES = ['政策法规', '致富信息', '新闻娱乐', '便民服务', '其他'] as const

export type Category = (typeof CATEGORIES)[number]

/** What an owner may type in chat instead of the full name of a column. */
const ABBREVIATIONS: Record<string, Category> = {
  政策: '政策法规',
  法规: '政策法规',
  政法: '政策法规',
  法律: '政策法规',
  致富: '致富信息',
  致富经: '致富信息',
  新闻: '新闻娱乐',
  娱乐: '新闻娱乐',
  便民: '便民服务',
  服务: '便民服务',
  其它: '其他',
  别的: '其他',
}

export function isCategory(value: unknown): value is Category {
  return typeof value === 'string' && (CATEGORIES as readonly string[]).includes(value)
}

/**
 * The category a person means by a word typed in chat; a column number of the sheet (1 to 5) counts too.
 * Quotes, spaces and a trailing 类 are ignored. Null when the word names none.
 */
export function parseCategory(word: string): Category | null {
  const key = word.normalize('NFKC').replace(/[\s"'“”‘’「」【】[\]。.,,、!]/gu, '')
  const bare = key.length > 1 ? key.replace(/(?:类别|类|信息类)$/u, '') : key
  for (const candidate of [key, bare]) {
    if (isCategory(candidate)) return candidate
    const known = Object.hasOwn(ABBREVIATIONS, candidate) ? ABBREVIATIONS[candidate] : undefined
    if (known) return known
  }
  return /^[1-5]$/.test(key) ? (CATEGORIES[Number(key) - 1] ?? null) : null
}
