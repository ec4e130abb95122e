/** What WeChat Pay's words for a payment that is refused or has come to nothing mean, and what can be done. */
const words: Readonly<Record<string, string>> = {
  OVERDUE_CLOSE: '本人没有在 24 小时内确认收款',
  MCH_CANCEL: '学校撤销了',
  NEVER_TAKEN: '微信支付没有收下，已放弃',
  MERCHANT_CHANGED: '批准以后换了商户号或接口，没有提交，请告诉系统管理员',
  ORDER_ALTERED: '存的付款单和批准的不一样，没有提交，请告诉系统管理员',
  NAME_NOT_CORRECT: '姓名和本人微信的实名不一致，请核对名册里的姓名',
  REAL_NAME_CHECK_FAIL: '本人微信没有实名认证，请先认证',
  ID_CARD_NOT_CORRECT: '身份证号和本人微信的实名不一致',
  OPENID_INVALID: '公众号账号不对，请本人重新绑定',
  ACCOUNT_FROZEN: '本人的微信支付账户被冻结',
  ACCOUNT_NOT_EXIST: '本人的微信支付账户已注销',
  PAYEE_ACCOUNT_ABNORMAL: '本人的微信支付账户异常或收款超限',
  PAYER_ACCOUNT_ABNORMAL: '商户账户异常，请到商户平台查看',
  RECEIVE_ACCOUNT_NOT_CONFIGURE: '本人没有设置收款方式',
  RECEIVE_ACCOUNT_NOT_PERMMIT: '本人的微信不能收这笔款',
  DAY_RECEIVED_COUNT_EXCEED: '本人今天收款次数超限，可明天再发',
  DAY_RECEIVED_QUOTA_EXCEED: '本人今天收款金额超限，可明天再发',
  REALNAME_ACCOUNT_RECEIVED_QUOTA_EXCEED: '本人零钱收款超限',
  BLOCK_B2C_USERLIMITAMOUNT_MONTH: '本人本月收款超限，可下月再发',
  BLOCK_B2C_USERLIMITAMOUNT_BSRULE_MONTH: '本人本月收款超限，可下月再发',
  TRANSFER_QUOTA_EXCEED: '超过转账限额，请到商户平台申请提高',
  TRANSFER_SCENE_UNAVAILABLE: '转账场景没有开通（需要 1002 行政补贴）',
  TRANSFER_SCENE_INVALID: '转账场景不对（需要 1002 行政补贴）',
  TRANSFER_RISK: '微信支付风控拦下了这笔转账',
  MERCHANT_REJECT: '商户管理员驳回了转账',
  MERCHANT_NOT_CONFIRM: '商户管理员没有确认转账',
  PRODUCT_AUTH_CHECK_FAIL: '商户没有开通商家转账',
  NO_AUTH: '商户没有开通商家转账，或没有 1002（行政补贴）场景',
  NOT_ENOUGH: '商户余额不足，请充值',
  INVALID_REQUEST: '微信支付不收这笔单：多半是超过限额，或账号与公众号不匹配',
  PARAM_ERROR: '微信支付说内容不合格式，请告诉系统管理员',
  APPID_MCHID_NOT_MATCH: '公众号没有和商户号绑定',
  SIGN_ERROR: '商户证书或密钥不对，请告诉系统管理员',
  ACCOUNT_ERROR: '商户账户异常，请到商户平台查看',
}

/** What only the receiver can mend, as they are told it: before that the next payment comes to nothing as well. */
const receiverWords: Readonly<Record<string, string>> = {
  OVERDUE_CLOSE: '没有在 24 小时内确认收款，已退回学校。学校重新安排后会再告诉您，请及时确认',
  REAL_NAME_CHECK_FAIL: '没有付成：您的微信还没有实名认证。请先在微信里认证，学校会重新安排',
  NAME_NOT_CORRECT: '没有付成：名册里的姓名和您微信的实名不一致。请告诉学校项目办核对，学校会重新安排',
  ID_CARD_NOT_CORRECT: '没有付成：名册里的身份证号和您微信的实名不一致。请告诉学校项目办核对，学校会重新安排',
  OPENID_INVALID: '没有付成：您绑定的公众号账号不对。请重新绑定，学校会重新安排',
  ACCOUNT_FROZEN: '没有付成：您的微信支付账户被冻结。请在微信里解冻，学校会重新安排',
  ACCOUNT_NOT_EXIST: '没有付成：您的微信支付账户已注销。请重新开通，学校会重新安排',
  RECEIVE_ACCOUNT_NOT_CONFIGURE: '没有付成：您的微信没有设置收款方式。请先设置，学校会重新安排',
}

/** What has become of a payment that has failed, for its receiver. @param code null: nobody has said why */
export function failWordsForReceiver(code: string | null): string {
  const own = code !== null && Object.hasOwn(receiverWords, code) ? receiverWords[code] : undefined
  return own ?? '没有付成，学校会重新安排，您不用做什么'
}

/** A word of WeChat Pay's in Chinese; one that is not known is given as it is, for the engineer. */
export function failWords(code: string): string {
  return Object.hasOwn(words, code) ? (words[code] as string) : `微信支付拒绝（${code}）`
}
