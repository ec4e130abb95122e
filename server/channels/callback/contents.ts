import { branch, branchList, commaList, countOf, type Fields, field, fieldList } from './fields.ts'
import type { UpdateContent } from './update.ts'

// what WeCom and the Official Account write in the same way

/** The words of a link that somebody sent. */
function linkText(fields: Fields): string {
  return [field(fields, 'Title'), field(fields, 'Description')].filter(part => part !== '').join('\n')
}

function readPlace(how: 'sent' | 'picked', fields: Fields): UpdateContent {
  return {
    kind: 'place',
    how,
    latitude: field(fields, 'Location_X'),
    longitude: field(fields, 'Location_Y'),
    detail: field(fields, 'Scale'),
    label: field(fields, 'Label') || field(fields, 'Poiname'),
  }
}

/** Event LOCATION: the client reports by itself where it is. */
export function readReportedPlace(fields: Fields): UpdateContent {
  return {
    kind: 'place',
    how: 'reported',
    latitude: field(fields, 'Latitude'),
    longitude: field(fields, 'Longitude'),
    detail: field(fields, 'Precision'),
    label: '',
  }
}

/** A menu entry; cards add what was chosen in them. */
export function tapped(key: string): Extract<UpdateContent, { kind: 'tapped' }> {
  return { kind: 'tapped', key, responseCode: null, taskId: null, cardType: null, selected: [] }
}

/** The events of a menu, in small letters; null for any other. */
export function readMenuEvent(event: string, fields: Fields): UpdateContent | null {
  const key = field(fields, 'EventKey')
  switch (event) {
    case 'click':
      return tapped(key)
    case 'view':
    case 'view_miniprogram':
      return { kind: 'opened', target: key }
    case 'scancode_push':
    case 'scancode_waitmsg': {
      const scan = branch(fields, 'ScanCodeInfo')
      return {
        kind: 'scanned',
        key,
        scanType: field(scan, 'ScanType'),
        result: field(scan, 'ScanResult'),
      }
    }
    case 'pic_sysphoto':
    case 'pic_photo_or_album':
    case 'pic_weixin': {
      const pictures = branch(fields, 'SendPicsInfo')
      return { kind: 'pictured', key, count: countOf(pictures, 'Count') ?? pictureCount(pictures) }
    }
    case 'location_select':
      return readPlace('picked', branch(fields, 'SendLocationInfo'))
    default:
      return null
  }
}

/** `PicList` holds one `item` a picture in XML, and is the list itself in JSON. */
function pictureCount(pictures: Fields): number {
  const lists = branchList(pictures, 'PicList')
  return Math.max(lists.length, ...lists.map(list => branchList(list, 'item').length))
}

/** A list of several `Item`s, or of one text with commas. */
export function itemsOf(fields: Fields, name: string): string[] {
  const items = branchList(fields, name).flatMap(list => fieldList(list, 'Item'))
  return commaList([...items, ...fieldList(fields, name)])
}

/**
 * What somebody sent that is no text; null for a type that is none of these.
 * @param type in small letters
 */
export function readSent(type: string, fields: Fields): UpdateContent | null {
  switch (type) {
    case 'image':
    case 'voice':
    case 'video':
    case 'shortvideo':
    // missing from the platforms' lists, and met: it has a title, and nothing that it could be fetched by
    case 'file':
      return {
        kind: 'media',
        mediaType: type,
        mediaId: field(fields, 'MediaId') || null,
        url: field(fields, 'PicUrl') || null,
        text: field(fields, 'Recognition'),
      }
    case 'link':
      return {
        kind: 'media',
        mediaType: type,
        mediaId: null,
        url: field(fields, 'Url') || null,
        text: linkText(fields),
      }
    case 'location':
      return readPlace('sent', fields)
    default:
      return null
  }
}
