// Opens WeChat's own page on which a payment is confirmed. What it needs stands in the page; nothing is sent from here.
const part = document.querySelector('[data-pay]')
const button = part?.querySelector('button')
const say = words => {
  part.querySelector('[role="status"]').textContent = words
}

if (part && window.wx) {
  const { appId, timestamp, nonce, signature, mchId, package: packageInfo } = part.dataset
  wx.config({
    debug: false,
    appId,
    timestamp: Number(timestamp),
    nonceStr: nonce,
    signature,
    jsApiList: ['requestMerchantTransfer'],
  })
  wx.ready(() => {
    button.disabled = false
    say('')
  })
  wx.error(() => say('微信没有认可这个页面，请退出后从公众号里重新打开；一直这样请告诉学校。'))
  button.addEventListener('click', () => {
    const order = { mchId, appId, package: packageInfo }
    const isShown = () => {
      // that the page was shown says nothing of the money: the server is told by WeChat Pay
      say('办好了的话，到账后会在聊天里告诉您。正在刷新……')
      setTimeout(() => window.location.reload(), 4000)
    }
    const isRefused = answer =>
      say(
        /cancel/.test(answer?.errMsg ?? answer?.err_msg ?? '')
          ? '还没有确认收款，可以再点一次。'
          : '没有打开收款页面：请把微信升级到最新版，再从公众号里打开。',
      )
    if (typeof wx.requestMerchantTransfer === 'function')
      wx.requestMerchantTransfer({ ...order, success: isShown, fail: isRefused })
    // the JSSDK of a page has the call only under the name of the bridge
    else if (window.WeixinJSBridge)
      window.WeixinJSBridge.invoke('requestMerchantTransfer', order, answer =>
        answer.err_msg === 'requestMerchantTransfer:ok' ? isShown() : isRefused(answer),
      )
    else isRefused(null)
  })
} else if (part) say('微信的脚本没有加载成功，请检查网络后刷新。')
