import regions from '../../../templates/regions/provinces.json' with { type: 'json' }

const PEOPLES =
  '维吾尔 哈萨克 蒙古 柯尔克孜 塔吉克 锡伯 回 藏 苗 侗 壮 瑶 彝 土家 布依 水 土 撒拉 东乡 保安 羌 傣 佤 哈尼 拉祜 景颇 傈僳 独龙 怒 黎 毛南 仫佬 各 满 朝鲜 达斡尔 鄂温克 裕固 畲 白 纳西 布朗 仡佬 普米 德昂 阿昌 门巴 珞巴'
// two characters at least stay in front: 东乡族自治县 is named after its people
const AUTONOMOUS = new RegExp(`(?<=^.{2,})(?:(?:${PEOPLES.split(' ').join('|')})族?)+自治[县州区旗]$`)
const LAST_WORD = /(?:族?自治[县州区旗]|地区|林区|新区|[省市县区旗州盟])$/

/** The names under which people know a place: `都安瑶族自治县` is `都安瑶族自治县` and `都安`. */
export function placeNames(name: string): string[] {
  const short = AUTONOMOUS.test(name) ? name.replace(AUTONOMOUS, '') : name.replace(LAST_WORD, '')
  return short.length >= 2 && short !== name ? [name, short] : [name]
}

const words = new Set([
  '兵团',
  '新疆兵团',
  '生产建设兵团',
  '新疆生产建设兵团',
  '克州',
  '黔西南',
  '黔东南',
  '黔南',
  '湘西',
  '恩施',
])
for (const province of regions.provinces) {
  for (const word of placeNames(province.name)) words.add(word)
  for (const city of province.cities) {
    for (const word of placeNames(city.name)) words.add(word)
    for (const county of city.counties) for (const word of placeNames(county.name)) words.add(word)
  }
}
const longest = Math.max(...Array.from(words, word => word.length))

/** Whether `text` is the name of a province, city or county (国家统计局 区划代码), in full or short, or several of them in a row. */
export function isPlaceWord(text: string): boolean {
  if (words.has(text)) return true
  for (let cut = 2; cut <= text.length - 2; cut++)
    if (words.has(text.slice(0, cut)) && isPlaceWord(text.slice(cut))) return true
  return false
}

/** Where the names of places begin that end before index `end`. */
export function placesEndingAt(characters: string[], end: number): number[] {
  const starts: number[] = []
  let tail = ''
  for (let i = end - 1; i >= 0 && end - i <= longest; i--) {
    tail = characters[i] + tail
    if (tail.length > 1 && words.has(tail)) starts.push(i)
  }
  return starts
}
