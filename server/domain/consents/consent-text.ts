import idNumber from '../../../templates/consents/id-number.json' with { type: 'json' }

/** What is told to a person before something of theirs is asked (个人信息保护法 第十七条): each part under its head. */
export interface ConsentText {
  purpose: string
  /** The day of this wording, `YYYY-MM-DD`: an agreement is to it and to no other. */
  day: string
  title: string
  parts: readonly { head: string; text: string }[]
}

/** The text in force about ID numbers. */
export const idNumberConsent: ConsentText = idNumber
