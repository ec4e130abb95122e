import type { Random } from './random.ts'

// Everybody here is invented. Pools are wide on purpose: names that are words, names that are places, rare characters.

const words = (list: string): string[] => list.split(/\s+/).filter(word => word !== '')

const SURNAMES = words(
  '李 王 张 刘 陈 杨 黄 周 赵 吴 孙 徐 高 郭 胡 朱 何 罗 马 白 叶 苏 沈 冯 丁 林 谢 孔 许 宋 郑 邹 邓 梁 夏 侯 韩 尹 曾 闫 蒋 董 于 雷 吕 姚 陆 卢 廖 唐 汪 蔡 史 贾 潘 石 魏 杜 熊 包 汤 任 武 江 姜 严 肖 秦 钟 金 邵 龙 范 方 龚 田 黎 曹 施 万 谭 程 孟 易 付 余 段 文 戴 崔 乔 薛 覃 邱 贺 章 宁 喻 柳 袁 毛 靳 穆 钱 焦 童 庄 聂 齐 伊 倪 祁 鲁 岳 樊 虞 岑 霍 葛 陶 滕 颜 辛 庞 芦 顾 邢 单 路 安 伍 康 解 郝 梅 毕 向 时 成 代 查 仇 区 盖 华 宗 郁 卓 苗 甘 景 全 房 权 冉 农 韦 蓝 莫 甄 芮 储 牟 仲 郜 边 党 翟 敖 冷 年 祝 桂 官 佘 申 项 温 游 阮 池 尤 柯 支 明 商 水 管 习 应 曲 沙 车 计 常 席 季 司',
)
const COMPOUND = words('欧阳 上官 司马 诸葛 皇甫 尉迟 慕容 令狐 司徒 夏侯 宇文 端木 南宫 公孙 东方')
const GIVEN_TWO = words(
  '一诺 一鸣 世杰 东升 丹丹 丽娟 亚鹏 伟东 伟杰 佳怡 佳慧 佳琪 俊杰 俊熙 俊豪 倩倩 兴旺 冰洁 博文 卫东 可欣 嘉伟 嘉欣 嘉诚 国庆 天宇 婷婷 子怡 子涵 子豪 子轩 宇航 宇轩 宏伟 家豪 小燕 小芳 小龙 少华 巧玲 建军 建华 建平 彩霞 德华 心怡 志伟 志强 志远 志鹏 怀德 思思 思琪 思远 思雨 慧敏 成龙 振华 文博 文杰 文涛 文静 新宇 昊天 明辉 春梅 春燕 春雷 晓东 晓丹 晓亮 晓峰 晓敏 晓明 晓燕 晓雪 晨曦 景明 月红 梓涵 梦婷 梦琪 欢欢 欣怡 正阳 永强 泽宇 泽民 浩宇 浩然 海涛 海燕 淑敏 燕妮 玉兰 玉婷 玉洁 玉龙 瑞祥 秀英 秋菊 立新 素芳 紫涵 继伟 美玲 艳红 若曦 莎莎 诗涵 金凤 金龙 铭泽 银凤 雅婷 雅琪 雨晴 雨桐 雨欣 雨薇 雪峰 雪梅 露露 静怡 馨月 鹏飞 安然 本立 西林 东阳 南星 北辰 中华 志愿 文学 学文 来福 有才 得胜 进步 和平 青青 阳阳 乐乐 一凡 三妹 六一 九龙 七月 万里 千里 百川 号杰 加林 进平 入云 求真 拉弟 通达 联盟 知行 谢恩 老实 在山 是知 从容 自强 之恒 也平 同心 一心 望舒 之前 男生 女娃 电波 机敏 身正 安全 生才 新来 今朝 明年 现代 年年 党生 团圆 员外 书记 教训 师远 专一 长安 县生 乡情 村花 国兴 延期 定边 靖边 长海 加强 通明 麻利 请安',
)
const GIVEN_ONE = words(
  '丹 丽 亮 仁 伟 佳 俊 倩 健 克 军 凯 刚 勇 博 哲 坤 妍 娅 娇 娜 娟 婧 婷 媛 宁 宇 尧 岩 峰 帅 帆 平 康 强 彤 彬 恒 悦 慧 政 敏 斌 斯 旭 昇 昊 明 晨 晶 月 杰 林 梅 梦 欢 欣 毅 波 泽 洁 洋 浩 涛 燕 玲 珂 珊 珺 琦 琪 琳 瑜 瑞 瑶 璐 甜 磊 红 翀 翔 翰 腾 航 艳 芳 茜 莹 菲 萍 蓉 蕾 薇 超 轩 辉 鑫 锐 阳 雪 雯 霞 静 音 颖 飞 骏 鹏 龙 一 三 七 川 可 在 来 加 进 求 通 才 能 想 老 新 师 生 男 好 请 也 之 电 号 县 州 省 东 西 南 北 中',
)
/** Names that are words, or the names of places. */
const WORD_NAMES = words(
  '高兴 余额 方法 安静 白天 常青 成功 江山 高原 黄河 马上 安全 温馨 平安 何必 关心 明白 万里 谢天 高峰 金银 石头 于是 毛笔 郑重 严肃 向阳 向前 易经 张扬 程度 施工 王国 方向 方便 路遥 时光 甘甜 苗条 马达 夏天 文静 和平 齐全 田园 江湖 车站 钱多 华山 东方 高阳 安康 安宁 武威 宁远 江陵 万年 长安 黄山 石林 金山 华容 云龙 常山 江川 高平 安化 都江 温泉 祝福 管家 应急 水利 商务 计划 成员 项目 游客 司机 全国 家伟 阳光 任务 单位 方正 程序 华丽 高尚 周到 周全 周末 陈年 陈列 万一 何况 康复 白云 白雪 林立 林业 张开 张罗 柳州 丁香 马虎 宁静 宁夏 牛奶 古城 谷雨 桂花 海洋 海南 时间 孔雀 连续 权利 杜鹃 麦子 雷雨 雷锋 冷静 燕子 花园 梅花 荣光 于飞 元旦',
)
/** Rare character, and how people type it who cannot. */
export const RARE: Record<string, string[]> = {
  喆: ['吉吉'],
  犇: ['牛牛牛'],
  骉: ['马马马'],
  垚: ['土土土'],
  淼: ['水水水'],
  焱: ['火火火'],
  燚: ['火火火火'],
  堃: ['方方土'],
  䶮: ['龙天'],
  𬭎: ['金宏', '钅宏'],
  𫖯: ['兆页'],
  㛃: ['女洁'],
  𬀩: ['日韦'],
  玓: ['王勺'],
  玥: ['王月'],
  祎: ['礻韦'],
  烜: ['火亘'],
  翀: ['羽中'],
  晳: ['析日'],
  赟: ['文武贝'],
  𬱖: ['由页'],
  曌: ['明空', '日月空'],
  婳: ['女画'],
  珺: ['王君'],
  昶: ['永日'],
  羴: ['羊羊羊'],
  彧: ['或彡'],
  翯: ['羽高'],
  芃: ['艹凡'],
  劼: ['吉力'],
  玙: ['王与'],
  旸: ['日昜'],
  琇: ['王秀'],
  珝: ['王羽'],
  垲: ['土岂'],
  槿: ['木堇'],
  锜: ['金奇', '钅奇'],
  𬍛: ['王廷'],
  𬘭: ['纟林', '丝林'],
  𬸣: ['鸟享'],
  瑢: ['王容'],
  璠: ['王番'],
  珵: ['王呈'],
  颢: ['景页'],
  晗: ['日含'],
  昉: ['日方'],
  炘: ['火斤'],
  炟: ['火旦'],
  埕: ['土呈'],
  塬: ['土原'],
  媱: ['女䍃'],
  姮: ['女亘'],
  姝: ['女朱'],
  栩: ['木羽'],
  桢: ['木贞'],
  沣: ['氵丰', '水丰'],
  湉: ['氵恬', '水恬'],
  潼: ['氵童', '水童'],
  鸿: ['江鸟'],
  翾: ['瞏羽'],
  𬤊: ['讠是'],
  𫘝: ['马光'],
  𬶋: ['鱼它'],
}
const TIBETAN = words(
  '扎西 次仁 卓玛 央金 旦增 丹增 边巴 格桑 洛桑 多吉 平措 罗布 普布 巴桑 达瓦 米玛 拉巴 尼玛 索朗 索南 仁青 白玛 德吉 嘎玛 贡嘎 贡布 强巴 曲珍 曲吉 曲宗 旺姆 旺堆 旺久 旺杰 拉姆 玉珍 白珍 央宗 群宗 群培 措姆 次旦 次吉 顿珠 欧珠 朗杰 晋美 加措 江村 土登 坚赞 赤列 益西 阿旺 其美 桑珠 才让 卓嘎 德庆 泽仁 四郎 拥措',
)
const YI_FAMILY = words(
  '沙马 吉克 曲木 阿西 海来 俄木 加巴 勒格 尔古 瓦渣 阿苦 阿约 且沙 吉木 苦史 马海 吉伍 阿牛',
)
const YI_GIVEN = words(
  '木呷 拉哈 尔哈 莫色 小英 有果 有作 子作 里古 拉古 伍果 金曲 阿依 日洛 伍各 伍且 尔布 木乃 史古 友机 金古 约尔',
)
const UYGHUR = words(
  '古丽米热 古丽娜尔 努尔比亚 努尔艾力 苏比努尔 迪丽热巴 迪丽努尔 阿依古丽 阿依谢木 阿孜古丽 米日古丽 帕提古丽 热依汗古丽 凯迪热亚 凯赛尔 祖丽皮亚 茹克亚 木妮拉 麦尔哈巴 再努尔 布威海丽且木 图尔荪江 麦麦提 买买提 艾尼瓦尔 艾力 外力 亚森 伊敏 肉孜 托合提 吾买尔 库尔班 吐尔逊 玉素甫 热合曼 阿迪力 阿力木江 阿卜力米提 阿卜杜热合曼 阿布都拉 艾合买提 艾克拜尔 居来提 帕尔哈提 木塔力甫 穆合塔尔 依力亚尔 麦合木提江 阿不都热依木 吐尼沙 海尼沙 排日代 图拉普',
)
const KAZAKH = words(
  '叶尔兰 叶尔肯 叶尔克江 努尔兰 努尔古丽 努尔太 沙吾列 加娜尔 加尔肯 古丽沙拉 巴合提古丽 阿依江 阿依波塔 阿勒腾古丽 阿依恒 杰恩斯 哈那提 赛力克 塔斯恒 木合塔尔 别克波拉提 巴合提别克 达吾列提 恰勒恒 阿扎马提 胡安别克',
)
const MONGOL = words(
  '托娅 乌仁 布和 乌云 萨仁 娜仁 朝鲁 其其格 乌日娜 苏日娜 萨日娜 阿茹娜 那日松 通拉嘎 阿古拉 巴特尔 特木尔 乌力吉 吉日嘎拉 哈斯高娃 斯琴高娃 萨仁高娃 乌兰图雅 额尔德木图 呼格吉勒图 孟和 宝音 敖登 塔娜 苏和 巴图 图雅 朝克图 毕力格 格日勒',
)
const MONGOL_FAMILY = words('白 包 何 吴 陈 王 韩 金')
const DOTS = ['·', '·', '·', '•', '‧', '・', '.', '．', '∙', '●']

/** How a person is called. `dotted` names have one `·` in their true form. */
export interface PersonName {
  /** As it should be written. */
  full: string
  people: 'han' | 'word' | 'rare' | 'tibetan' | 'yi' | 'uyghur' | 'kazakh' | 'mongol'
}

export function isCompound({ full }: PersonName): boolean {
  return COMPOUND.includes(full.slice(0, 2))
}

function hanName(random: Random): string {
  const surname = random.chance(0.03) ? random.pick(COMPOUND) : random.pick(SURNAMES)
  return surname + (random.chance(0.55) ? random.pick(GIVEN_TWO) : random.pick(GIVEN_ONE))
}

export function makeName(random: Random, westShare: number): PersonName {
  if (random.chance(westShare)) {
    const people = random.pick(['tibetan', 'yi', 'uyghur', 'uyghur', 'kazakh', 'mongol'] as const)
    if (people === 'tibetan') return { full: random.pick(TIBETAN) + random.pick(TIBETAN), people }
    if (people === 'yi') return { full: random.pick(YI_FAMILY) + random.pick(YI_GIVEN), people }
    if (people === 'uyghur') return { full: `${random.pick(UYGHUR)}·${random.pick(UYGHUR)}`, people }
    if (people === 'kazakh') return { full: `${random.pick(KAZAKH)}·${random.pick(KAZAKH)}`, people }
    return { full: (random.chance(0.35) ? random.pick(MONGOL_FAMILY) : '') + random.pick(MONGOL), people }
  }
  if (random.chance(0.035)) return { full: random.pick(WORD_NAMES), people: 'word' }
  if (random.chance(0.06)) {
    const rare = random.pick(Object.keys(RARE))
    const second = random.chance(0.3) ? random.pick(GIVEN_ONE.slice(0, 100)) : ''
    return {
      full: random.pick(SURNAMES) + (random.chance(0.5) ? rare + second : second + rare),
      people: 'rare',
    }
  }
  return { full: hanName(random), people: 'han' }
}

/** How the sheet has it: spaces, another kind of dot, the rare character typed in parts. */
export function asOnTheSheet(name: PersonName, random: Random): string {
  let written = name.full.replace('·', random.pick(DOTS))
  if (written.includes('喆') && random.chance(0.3)) written = written.replace('喆', '吉吉')
  if (random.chance(0.02)) written = `${written} `
  if (name.people === 'han' && Array.from(written).length === 2 && random.chance(0.1))
    written = Array.from(written).join(random.pick([' ', '\u3000']))
  return written
}

const TRADITIONAL: Record<string, string> = Object.fromEntries(
  words(
    '张張 陈陳 刘劉 杨楊 黄黃 赵趙 吴吳 孙孫 罗羅 马馬 叶葉 苏蘇 冯馮 谢謝 许許 郑鄭 邹鄒 邓鄧 韩韓 闫閆 蒋蔣 吕呂 陆陸 卢盧 汤湯 严嚴 钟鐘 龙龍 范範 龚龔 万萬 谭譚 乔喬 贺賀 宁寧 钱錢 丽麗 伟偉 杰傑 国國 庆慶 华華 东東 强強 军軍 刚剛 静靜 凤鳳 银銀 龙龍 丹丹 飞飛 鹏鵬 艳艷 红紅 莹瑩 颖穎 萍萍 云雲 梦夢 晓曉 燕燕 县縣 区區 我我 电電 话話 请請 烦煩 进進 号號 机機 来來 师師 老老 拉拉 个個 联聯 系繫 证證 后後 过過 务務 单單 这這 边邊 团團 员員 愿願 业業 们們 让讓 时時 办辦 开開 关關 发發 达達 尔爾 兰蘭 热熱 亚亞 买買 阳陽 阴陰 乐樂 学學 书書 记記 兴興 实實 从從 长長 门門 问問 间間 见見 现現 贵貴 质質 车車 轮輪 输輸 运運 还還 远遠 边邊',
  ).map(pair => [pair[0] as string, pair[1] as string]),
)

export function traditional(text: string): string {
  return Array.from(text, character => TRADITIONAL[character] ?? character).join('')
}

/**
 * One way to type the name that is the same name by rule 3.
 *
 * @returns `isArguable`: an officer may well want to look at it (a rare character typed in parts).
 */
export function writtenExactly(name: PersonName, random: Random): { text: string; isArguable: boolean } {
  const { full } = name
  if (full.includes('·')) {
    const between = random.weighted<string>([
      ['·', 6],
      ['', 2],
      [' ', 2],
      ['.', 2],
      ['•', 1],
      ['・', 1],
      ['‧', 1],
      ['．', 1],
      ['∙', 1],
      [' · ', 1],
      ['-', 0.5],
      ['●', 0.5],
      ['˙', 0.3],
      ['▪', 0.3],
      ['*', 0.3],
      ['。', 0.3],
      ['、', 0.2],
      ['&middot;', 0.2],
    ])
    return { text: full.replace('·', between), isArguable: ['*', '。', '、', '-', '˙'].includes(between) }
  }
  const rare = Array.from(full).find(character => RARE[character])
  if (rare && random.chance(0.4)) {
    const parts = random.pick(RARE[rare] as string[])
    const form = random.pick([
      parts,
      `${rare}（${parts}）`,
      `（${Array.from(parts).join('+')}）`,
      `（${parts}）`,
      `[${parts}]`,
    ])
    return { text: full.replace(rare, form), isArguable: form !== `${rare}（${parts}）` }
  }
  const characters = Array.from(full)
  const form = random.weighted<string>([
    ['plain', 84],
    ['gaps', 4],
    ['wide', 1],
    ['bold', 2],
    ['quoted', 2],
    ['invisible', 3],
    ['traditional', 3],
    ['entity', 0.5],
  ])
  if (form === 'gaps' && name.people !== 'word')
    return { text: characters.join(random.pick([' ', '  ', '\u3000'])), isArguable: false }
  if (form === 'bold') return { text: `<b>${full}</b>`, isArguable: false }
  if (form === 'quoted')
    return { text: random.pick([`“${full}”`, `【${full}】`, `「${full}」`, `*${full}*`]), isArguable: false }
  if (form === 'invisible') return { text: characters.join('\u200b'), isArguable: false }
  if (form === 'traditional') return { text: traditional(full), isArguable: false }
  if (form === 'entity')
    return { text: characters.map(c => `&#${c.codePointAt(0)};`).join(''), isArguable: false }
  return { text: full, isArguable: false }
}

/** Characters of the same toneless sound, and characters that look alike. */
const SOUND = words(
  '张章 李理 陈晨 伟韦 静婧 娟鹃 佳家 佳嘉 欣心 新欣 华桦 思司 明铭 志智 敏民 倩茜 琪奇 怡仪 婷亭 宇雨 雨语 梓子 晓小 文雯 静敬 海孩 玲铃 丽莉 杰捷 刚钢 强墙 翰含 鑫欣 磊垒 瑶遥 洋阳 涵含 博勃 浩昊 燕艳 霞峡 峰锋 辉晖 俊骏 凯楷 莹盈 颖影 萍平 雪血 娜那 旦丹 姆木 江姜',
)
const LOOKS = words(
  '芳芬 涛铸 丽娟 思恩 欣欢 梅海 杰木 伟讳 晶品 昊吴 婷停 洁结 敏繁 雨雪 玲珍 莹萤 颖颍 晨晟 涵函 佳住 磊垒 明朋 宇字 博搏 琳淋 瑶摇 刚钢 辉挥 峰锋 倩情 强弱 静净 文交 子孑 春舂 燕燃 永水 志忘 旭旮 天夫 龙尤 东车 国困 秀季 英荚 玉王 古吉 尔尓 热熟 买卖 拉啦 桑柔 曲由 次吹 旺汪 达迭',
)

function table(pairs: string[]): Map<string, string[]> {
  const map = new Map<string, string[]>()
  for (const [a = '', b = ''] of pairs) {
    map.set(a, [...(map.get(a) ?? []), b])
    map.set(b, [...(map.get(b) ?? []), a])
  }
  return map
}
const soundOf = table(SOUND)
const lookOf = table(LOOKS)

function swapOne(name: string, from: Map<string, string[]>, random: Random): string | null {
  const characters = Array.from(name)
  const places = characters.flatMap((c, i) => (from.has(c) ? [i] : []))
  if (places.length === 0) return null
  const at = random.pick(places)
  characters[at] = random.pick(from.get(characters[at] as string) as string[])
  return characters.join('')
}

/** The name with one character of the same sound; null where the tables have none. */
export function soundAlike(name: PersonName, random: Random): string | null {
  return swapOne(name.full, soundOf, random)
}

/** The name with one character that looks alike, or one character changed at random. */
export function lookAlike(name: PersonName, random: Random): string | null {
  const swapped = swapOne(name.full, lookOf, random)
  if (swapped) return swapped
  const characters = Array.from(name.full)
  if (characters.length < 3 || name.full.includes('·')) return null
  characters[characters.length - 1] = random.pick(words('海 铸 恩 欢 芬 梅 雨 川'))
  const changed = characters.join('')
  return changed === name.full ? null : changed
}

/** What friends call this person: not a full name. */
export function shortForm(name: PersonName, random: Random): string {
  const characters = Array.from(name.full)
  if (name.full.includes('·')) return random.pick(name.full.split('·'))
  if (['tibetan', 'yi'].includes(name.people)) return name.full.slice(random.pick([0, 2]), 4).slice(0, 2)
  if (name.people === 'mongol') return `${name.full.slice(0, 1)}老师`
  const given = characters.slice(1).join('')
  const last = characters.at(-1) as string
  return random.pick([
    `小${characters[0]}`,
    `${characters[0]}老师`,
    `${characters[0]}同学`,
    `小${last}`,
    `${last}${last}`,
    `阿${last}`,
    `${characters[0]}某`,
    `${characters[0]}哥`,
    `老${characters[0]}`,
    ...(characters.length === 3 ? [given, given] : []),
  ])
}

/** Names of no language that people use as an account's name. */
export const NICKNAMES = words(
  '小太阳 静待花开 随遇而安 云朵 橘子汽水 格桑花 大漠孤烟 青稞 momo 一米阳光 豆豆 毛毛 追风少年 等风来 奔跑的蜗牛 西北偏北 长安故里 晚风 不吃香菜 Summer Jason 77 hhh Y. 。 A ZZ 阿布 胡杨 卓玛 向阳而生 平安喜乐',
)
