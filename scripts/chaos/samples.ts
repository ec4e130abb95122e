import type { Chance } from '../demo/chance.ts'
import { toXml, type XmlFields, type XmlValue } from '../simulator/xml.ts'
import { accountSample } from './account-samples.ts'
import { aibotSample } from './aibot-samples.ts'
import type { DoorName } from './doors.ts'
import { wecomSample } from './wecom-samples.ts'

export interface SampleInput {
  /** The platform's id of the message, up to 20 digits. */
  id: string
  /** Something found nowhere else. */
  mark: string
  sender: string
  /** When it is said to have happened. */
  seconds: number
}

/** A callback as the platform would make it, before it is written as XML or JSON. */
export interface Sample {
  name: string
  fields: XmlFields
}

/** A callback of any kind that the door's platform sends. */
export function sampleOf(door: DoorName, luck: Chance, input: SampleInput): Sample {
  switch (door) {
    case 'wecom':
      return wecomSample(luck, input)
    case 'official-account':
      return accountSample(luck, input)
    case 'aibot':
      return aibotSample(luck, input)
  }
}

export function written(sample: Sample, isJson: boolean): string {
  return isJson ? toJson(sample.fields) : toXml(sample.fields)
}

/** JSON in which a bigint keeps all its digits. */
export function toJson(value: XmlValue): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([name, each]) => `${JSON.stringify(name)}:${toJson(each as XmlValue)}`)
      .join(',')}}`
  return JSON.stringify(value)
}
