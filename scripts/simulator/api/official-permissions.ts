import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import type { ApiTable } from './platform.ts'

/** Which accounts may call an interface, from the fewest to the most. */
type Who = 'verified service' | 'verified' | 'not an unverified subscription account' | 'everybody'

/** Beginnings of paths; the first that fits counts. @see developers.weixin.qq.com/doc/offiaccount/Getting_Started/Explanation_of_interface_privileges.html */
const RULES: [beginning: string, who: Who][] = [
  ['/cgi-bin/message/custom/', 'verified'],
  ['/cgi-bin/message/template/', 'verified service'],
  ['/cgi-bin/template/', 'verified service'],
  ['/cgi-bin/message/subscribe/', 'verified service'],
  ['/wxaapi/newtmpl/', 'verified service'],
  ['/cgi-bin/message/mass/send', 'verified service'],
  ['/cgi-bin/message/mass/', 'verified'],
  ['/cgi-bin/menu/', 'not an unverified subscription account'],
  ['/cgi-bin/qrcode/', 'verified service'],
  ['/cgi-bin/user/', 'verified'],
  ['/cgi-bin/tags/', 'verified'],
  ['/cgi-bin/media/', 'verified'],
  ['/cgi-bin/material/', 'verified'],
]
/** Begins like the list's interface and is open to more accounts. */
const EXCEPTIONS: Record<string, Who> = { '/cgi-bin/message/mass/sendall': 'verified' }

const ALLOWS: Record<Who, (account: OfficialAccount) => boolean> = {
  'verified service': account => account.kind === 'service' && account.verified !== false,
  verified: account => account.verified !== false,
  'not an unverified subscription account': account =>
    account.kind === 'service' || account.verified !== false,
  everybody: () => true,
}

/** @throws ApiError 48001 */
export function checkPermission(account: OfficialAccount, path: string): void {
  const who = EXCEPTIONS[path] ?? RULES.find(([beginning]) => path.startsWith(beginning))?.[1] ?? 'everybody'
  if (!ALLOWS[who](account)) refuse(48001, 'api unauthorized')
}

/** Login pages are open to verified service accounts alone; they have no path of this host. */
export function mayLogIn(account: OfficialAccount): boolean {
  return ALLOWS['verified service'](account)
}

/** The same interfaces, each behind the check of who may call it. */
export function permitted(table: ApiTable<OfficialAccount>): ApiTable<OfficialAccount> {
  return Object.fromEntries(
    Object.entries(table).map(([path, entry]) => [
      path,
      'open' in entry
        ? entry
        : {
            ...entry,
            run: call => {
              checkPermission(call.subject, path)
              return entry.run(call)
            },
          },
    ]),
  )
}
