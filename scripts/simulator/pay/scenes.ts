/** What a transfer scene asks for. @see pay.weixin.qq.com/doc/v3/merchant/4013774594 */
export interface Scene {
  name: string
  /** What the user may be told; the first is the default. */
  perceptions: string[]
  /** info_type of each report entry, every one of them exactly once. */
  reports: string[]
}

export const SCENES: Record<string, Scene> = {
  '1000': { name: '现金营销', perceptions: ['活动奖励', '现金奖励'], reports: ['活动名称', '奖励说明'] },
  '1002': { name: '行政补贴', perceptions: ['行政补贴', '行政奖励'], reports: ['补贴类型'] },
}
