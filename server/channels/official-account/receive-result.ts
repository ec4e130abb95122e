import { branch, branchList, commaList, countOf, type Fields, field, fieldList } from '../callback/fields.ts'
import type { UpdateContent } from '../callback/update.ts'

/**
 * What became of what we sent or published, and of what people have agreed to; null for any other event.
 * @param event in small letters
 */
export function readResult(event: string, fields: Fields): UpdateContent | null {
  switch (event) {
    case 'templatesendjobfinish':
      return readTemplateResult(fields)
    case 'masssendjobfinish':
      return readMassResult(fields)
    case 'publishjobfinish':
    case 'freepublishjobfinish':
      return readPublishResult(fields)
    case 'subscribe_msg_popup_event':
      return readSubscription('popup', fields)
    case 'subscribe_msg_change_event':
      return readSubscription('changed', fields)
    case 'subscribe_msg_sent_event':
      return readSubscription('sent', fields)
    case 'user_authorization_revoke':
      return readRevocation(fields, false)
    case 'user_authorization_cancellation':
      return readRevocation(fields, true)
    default:
      return null
  }
}

/** `success`, `failed:user block`, `failed: system failed`: with and without the space. */
function readTemplateResult(fields: Fields): UpdateContent | null {
  const messageId = field(fields, 'MsgID')
  if (messageId === '') return null
  const reason = field(fields, 'Status')
  const status = squeezed(reason)
  return {
    kind: 'template_result',
    messageId,
    result: status === 'success' ? 'delivered' : status === 'failed:userblock' ? 'blocked' : 'failed',
    reason,
  }
}

function readMassResult(fields: Fields): UpdateContent | null {
  const messageId = field(fields, 'MsgID')
  if (messageId === '') return null
  const status = field(fields, 'Status')
  return {
    kind: 'mass_result',
    messageId,
    isSent: squeezed(status) === 'sendsuccess',
    status,
    total: countOf(fields, 'TotalCount') ?? 0,
    filtered: countOf(fields, 'FilterCount') ?? 0,
    sent: countOf(fields, 'SentCount') ?? 0,
    failed: countOf(fields, 'ErrorCount') ?? 0,
  }
}

function readPublishResult(fields: Fields): UpdateContent | null {
  const result = branch(fields, 'PublishEventInfo')
  const publishId = field(result, 'publish_id')
  if (publishId === '') return null
  return {
    kind: 'publish_result',
    publishId,
    status: field(result, 'publish_status'),
    articleId: field(result, 'article_id') || null,
  }
}

/** XML has the list within an element, which a sample of `change` calls as that of `popup`; JSON has it at the top. */
const subscriptionElements = ['SubscribeMsgPopupEvent', 'SubscribeMsgChangeEvent', 'SubscribeMsgSentEvent']

function readSubscription(event: 'popup' | 'changed' | 'sent', fields: Fields): UpdateContent | null {
  const holders = [fields, ...subscriptionElements.flatMap(name => branchList(fields, name))]
  const items = holders
    .flatMap(holder => branchList(holder, 'List'))
    .map(item => ({
      templateId: field(item, 'TemplateId'),
      status: field(item, 'SubscribeStatusString'),
      messageId: field(item, 'MsgID'),
      errorCode: field(item, 'ErrorCode'),
      errorStatus: field(item, 'ErrorStatus'),
    }))
  return items.length === 0 ? null : { kind: 'subscription', event, items }
}

function readRevocation(fields: Fields, isClosed: boolean): UpdateContent | null {
  // the official sample in JSON writes the name with a space in front
  const openId = field(fields, 'OpenID') || field(fields, ' OpenID') || field(fields, 'FromUserName')
  if (openId === '') return null
  const revoked = commaList(fieldList(fields, 'RevokeInfo'))
  return { kind: 'authorization_revoked', openId, revoked, isClosed }
}

function squeezed(status: string): string {
  return status.replaceAll(/\s/g, '').toLowerCase()
}
