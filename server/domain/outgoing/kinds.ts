/** Posts into groups: their call can neither be repeated without harm nor asked about afterwards. */
export const unrepeatable: ReadonlySet<string> = new Set(['robot', 'appchat', 'mass'])
