import { readMenuEvent, readReportedPlace, tapped } from '../callback/contents.ts'
import { branch, branchList, type Fields, field, fieldList, momentOf } from '../callback/fields.ts'
import type { UpdateContent } from '../callback/update.ts'

/**
 * What happens in the app itself.
 * @param event in small letters: CLICK and VIEW have been met, too
 * @see https://developer.work.weixin.qq.com/document/path/90240
 */
export function readAppEvent(event: string, fields: Fields): UpdateContent | null {
  const state = appStates.get(event)
  if (state) return { kind: 'app_state', state, effectAt: momentOf(fields, 'EffectTime') }
  switch (event) {
    case 'subscribe':
      return { kind: 'followed', scene: null, isScan: false }
    case 'unsubscribe':
      return { kind: 'unfollowed' }
    case 'enter_agent':
      return { kind: 'entered' }
    case 'location':
      return readReportedPlace(fields)
    case 'template_card_event':
    case 'template_card_menu_event':
      return {
        ...tapped(field(fields, 'EventKey')),
        responseCode: field(fields, 'ResponseCode') || null,
        taskId: field(fields, 'TaskId') || null,
        cardType: field(fields, 'CardType') || null,
        selected: selectedOf(fields),
      }
    case 'batch_job_result':
    case 'upload_media_job_finish':
      return readJob(event, fields)
    case 'open_approval_change':
    case 'share_chain_change':
    case 'change_chain':
      return { kind: 'corp_change', event }
    default:
      return readMenuEvent(event, fields)
  }
}

const appStates: ReadonlyMap<string, Extract<UpdateContent, { kind: 'app_state' }>['state']> = new Map([
  ['inactive_alert', 'inactive_alert'],
  ['close_inactive_agent', 'closed_inactive'],
  ['reopen_inactive_agent', 'reopened'],
  ['low_active_alert', 'low_active_alert'],
  ['low_active', 'low_active'],
  ['active_restored', 'active_restored'],
])

/** One or many questions with one or many answers. The platform's own sample spells the answers `Opiton`. */
function selectedOf(fields: Fields): { question: string; options: string[] }[] {
  return branchList(branch(fields, 'SelectedItems'), 'SelectedItem').map(item => ({
    question: field(item, 'QuestionKey'),
    options: [
      ...branchList(item, 'OptionIds').flatMap(optionsOf),
      ...branchList(item, 'OpitonIds').flatMap(optionsOf),
    ],
  }))
}

function optionsOf(options: Fields): string[] {
  return [...fieldList(options, 'OptionId'), ...fieldList(options, 'OpitonId')]
}

function readJob(event: string, fields: Fields): UpdateContent | null {
  const job = fields.has('BatchJob') ? branch(fields, 'BatchJob') : fields
  const jobId = field(job, 'JobId')
  if (jobId === '') return null
  return {
    kind: 'job',
    job: field(job, 'JobType') || event,
    jobId,
    errcode: field(job, 'ErrCode'),
    message: field(job, 'ErrMsg'),
  }
}
