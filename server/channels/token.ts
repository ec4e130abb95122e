import { ChannelError } from './errors.ts'
import type { PlatformAnswer } from './http.ts'

/** Where a token is kept so that all processes use the same one. */
export interface TokenStore {
  /**
   * Runs `refresh` unless a token other than `rejected` that lasts beyond `now` is stored; one refresh at a time.
   * @param rejected a token the platform no longer takes
   */
  tokenFor(
    account: string,
    rejected: string | null,
    refresh: () => Promise<{ token: string; expiresAt: Date }>,
  ): Promise<{ token: string; expiresAt: Date }>
}

/** @throws ChannelError `unreachable` when there is no token in the answer, although it says success */
export function readToken(answer: PlatformAnswer): { token: string; expiresInSeconds: number } {
  const { access_token: token, expires_in: seconds } = answer
  if (typeof token !== 'string' || token === '' || !(Number(seconds) > 0))
    throw new ChannelError('unreachable', '平台的应答里没有 access_token')
  return { token, expiresInSeconds: Number(seconds) }
}

/** How long a refusal of our credentials is believed: asking on and on has the platform shut our address out. */
const REFUSAL_LASTS_MS = 30_000

/** Runs calls with an access token, and once more with a fresh one when the platform says the token is void. */
export class TokenSource {
  private readonly account: string
  private readonly store: TokenStore
  private readonly now: () => Date
  private readonly fetchToken: () => Promise<{ token: string; expiresInSeconds: number }>
  private current: { token: string; expiresAt: Date } | null = null
  private refreshing: Promise<string> | null = null
  private refusal: { error: ChannelError; until: Date } | null = null

  constructor(
    account: string,
    store: TokenStore,
    now: () => Date,
    fetchToken: () => Promise<{ token: string; expiresInSeconds: number }>,
  ) {
    this.account = account
    this.store = store
    this.now = now
    this.fetchToken = fetchToken
  }

  async with<T>(call: (token: string) => Promise<T>): Promise<T> {
    const token = await this.get(null)
    try {
      return await call(token)
    } catch (error) {
      if (!(error instanceof ChannelError && error.reason === 'token')) throw error
      return call(await this.get(token))
    }
  }

  private async get(rejected: string | null): Promise<string> {
    const token = await this.currentOrNew(rejected)
    // a refresh that was under way for another call may have brought the very token that is void here
    return token === rejected ? this.currentOrNew(rejected) : token
  }

  private currentOrNew(rejected: string | null): Promise<string> {
    if (this.current && this.current.token !== rejected && this.current.expiresAt > this.now())
      return Promise.resolve(this.current.token)
    if (this.refusal && this.refusal.until > this.now()) return Promise.reject(this.refusal.error)
    this.refreshing ??= this.refresh(rejected).finally(() => {
      this.refreshing = null
    })
    return this.refreshing
  }

  private async refresh(rejected: string | null): Promise<string> {
    this.current = await this.store.tokenFor(this.account, rejected, async () => {
      const { token, expiresInSeconds } = await this.fetchToken().catch(error => {
        if (error instanceof ChannelError && error.mayBeRepaired)
          this.refusal = { error, until: new Date(this.now().getTime() + REFUSAL_LASTS_MS) }
        throw error
      })
      // a little early, so that a call under way does not outlive its token
      return { token, expiresAt: new Date(this.now().getTime() + (expiresInSeconds - 60) * 1000) }
    })
    return this.current.token
  }
}
