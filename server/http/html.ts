/** HTML that may be put into a page as it is. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A template tag whose values are escaped, unless they are `Html` or lists of it. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  return new Html(
    strings.map((part, index) => (index === 0 ? part : render(values[index - 1]) + part)).join(''),
  )
}

function render(value: unknown): string {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(render).join('')
  return String(value ?? '').replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
