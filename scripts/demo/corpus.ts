import type { Category } from '../../server/domain/messages/categories.ts'

/** What the people of the demo post in their groups. Invented; each text stands in one category only. */
export const posts: Record<Category, readonly string[]> = {
  政策法规: [
    '农村宅基地确权登记政策问答：一户一宅怎么认定、权证遗失怎么补办',
    '今年起城乡居民养老保险缴费补贴标准有调整，最低档补贴提高到每年五十元',
    '高标准农田建设管护办法解读：谁来管、钱从哪里出、坏了找谁修',
    '返乡创业人员享受一次性创业补贴的条件：首次领照、正常经营满半年',
  ],
  致富信息: [
    '镇上合作社收购红枣，统货每斤三块二，一级果四块五，自送到收购点当天结账',
    '羊子秋季育肥配方：玉米五成、豆粕两成、草粉三成，每天两次，四十天出栏',
    '电商培训班招学员，教手机拍照、直播带货和打包发货，结业推荐到县电商园上岗',
    '大棚西红柿今天地头价一块八，比上周涨三毛，客商下午五点前装车',
  ],
  新闻娱乐: [
    '县文化馆送戏下乡今晚七点在镇广场演出，剧目有秦腔和道情',
    '咱们镇的小伙子在全市青年篮球赛拿了亚军，比赛视频来了',
    '昨天的非遗剪纸展现场照片，老人孩子都看得高兴',
    '镇上第一届乡村歌手大赛落幕，十名选手进入县里决赛',
  ],
  便民服务: [
    '明天早八点到下午四点线路检修停电，请提前备水备饭',
    '镇卫生院周四免费给六十五岁以上老人体检，带身份证，空腹',
    '进城公交改线：早六点半头班车改从中学门口发车',
    '捡到黑色钱包一个，内有两张卡，失主请到村委会认领',
  ],
  其他: [
    '大家早上好，新的一周加油',
    '请大家把群昵称改成村名加姓名，方便联系',
    '收到的同志请接龙，谢谢配合',
    '祝各位中秋节快乐，阖家团圆',
  ],
}

export const activityKinds = ['政策宣讲', '技能培训', '文体娱乐', '婚恋交友', '其他'] as const
export const places = ['镇文化站', '村委会', '镇中学操场', '合作社大院', '青年之家'] as const
export const homeWork = ['务农', '务工', '经商', '行政事业单位', '其他'] as const
export const awayWork = ['务工', '就学', '创业', '其他'] as const

/** The notices of the month: who sends, what, and when. */
export const notices = {
  city: {
    category: '政策法规' as Category,
    body: '各县区、乡镇团委：全市农村青年创业贷款贴息申报已经开始，请把申报条件转发到所有青年群，符合条件的青年于本月二十日前到乡镇团委登记。',
  },
  county: {
    category: '便民服务' as Category,
    body: '各乡镇团委：本周末有大风降温，请提醒群里青年加固大棚、看护老人，遇险情先撤人再报告。',
  },
  volunteers: {
    category: '其他' as Category,
    body: '各团支部：本月底前完成志愿者秋季走访慰问登记，请支部书记收齐本支部同志近期困难和建议，报县项目办。',
  },
}

const surnames = [
  ...'王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严武莫孔向汤',
]
const given = [
  ...'伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国春梅志飞鹏宇欣怡雪琳佳浩博文思雨晨阳子涵梓萱俊凯瑞海燕云龙秀珍丹峰倩颖莹慧玲琴岩松柏林森栋梁光辉亮晶智勇信义仁德',
]

/** A name nobody in the same list has. */
export function inventName(next: () => number, taken: Set<string>): string {
  for (;;) {
    const surname = surnames[Math.floor(next() * surnames.length)]
    const first = given[Math.floor(next() * given.length)]
    const second = next() < 0.75 ? given[Math.floor(next() * given.length)] : ''
    const name = `${surname}${first}${second}`
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

/** A valid ID number of an invented person. */
export function inventIdNumber(county: string, next: () => number): string {
  const year = 1998 + Math.floor(next() * 6)
  const month = String(1 + Math.floor(next() * 12)).padStart(2, '0')
  const day = String(1 + Math.floor(next() * 28)).padStart(2, '0')
  const body = `${county}${year}${month}${day}${String(Math.floor(next() * 1000)).padStart(3, '0')}`
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const sum = weights.reduce((total, weight, index) => total + weight * Number(body[index]), 0)
  return `${body}${'10X98765432'[sum % 11]}`
}
