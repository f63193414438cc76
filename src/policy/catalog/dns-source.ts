import { Resolver } from 'node:dns/promises'
import { type Polled, Poller, reportAs } from '../../base/follow/poller.ts'
import type { Report } from '../../base/model/event.ts'
import { type Fault, fault, isErrno, isFault } from '../../base/model/fault.ts'
import type { Resolved } from './addresses.ts'

export type DnsOptions = {
  /** Returns the names to resolve now. */
  readonly names: () => readonly string[]
  /** Called when the set of answers changes. */
  readonly onChange: (resolved: Resolved) => void
  readonly report: Report
  readonly pollMs: number
  readonly nowMs: () => number
  /** DNS servers as `IP:port`; by default the system's. */
  readonly servers?: readonly string[]
  /** The timeout of one server for one answer. */
  readonly timeoutMs?: number
}

type Family = 'A' | 'AAAA'

/** The last answer for one address family of a name. */
type Entry = {
  readonly addresses: readonly string[]
  /** The last time DNS did not say that the name has none. */
  readonly notGoneAtMs: number
}

const defaultTimeoutMs = 2000
const dropAfterMs = 60_000

/** Resolves names and follows their addresses. */
export async function openDns(options: DnsOptions): Promise<DnsSource> {
  const source = new DnsSource(options)
  await source.refresh()
  source.poller.start()
  return source
}

/**
 * Resolves names repeatedly. A server that fails or does not answer implies nothing about a name: its last answer stays,
 * for each address family separately. A name that no longer exists keeps its answer for a minute.
 */
export class DnsSource implements AsyncDisposable {
  readonly poller: Poller
  readonly #options: DnsOptions
  readonly #resolver: Resolver
  readonly #entries = new Map<string, Readonly<Record<Family, Entry>>>()
  /** Problems of the names themselves. */
  readonly #refusals = new Map<string, string>()

  constructor(options: DnsOptions) {
    this.#options = options
    this.#resolver = new Resolver({ timeout: options.timeoutMs ?? defaultTimeoutMs, tries: 2 })
    if (options.servers !== undefined) this.#resolver.setServers(options.servers)
    this.poller = new Poller({
      poll: () => this.#poll(),
      everyMs: options.pollMs,
      onNews: reportAs('names', options.report),
      nowMs: options.nowMs,
    })
  }

  /** Resolves all names now. */
  refresh(): Promise<void> {
    return this.poller.refresh()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.poller[Symbol.asyncDispose]()
    this.#resolver.cancel()
    await closed
  }

  async #poll(): Promise<Polled> {
    const names = this.#options.names()
    const before = JSON.stringify([...this.#resolved()])
    for (const name of this.#entries.keys()) if (!names.includes(name)) this.#entries.delete(name)
    for (const name of this.#refusals.keys()) if (!names.includes(name)) this.#refusals.delete(name)
    const faults = await Promise.all(names.map((name) => this.#lookUp(name)))
    const resolved = this.#resolved()
    if (before !== JSON.stringify([...resolved])) this.#options.onChange(resolved)
    return { faults: faults.flat(), refusals: [...this.#refusals.values()] }
  }

  #resolved(): Resolved {
    const all = [...this.#entries].map(([name, { A, AAAA }]) => {
      return [name, [...A.addresses, ...AAAA.addresses]] as const
    })
    return new Map(all.filter(([, addresses]) => addresses.length > 0))
  }

  /** Applies the answers for one name; returns why some are missing. */
  async #lookUp(name: string): Promise<readonly string[]> {
    const [v4, v6] = await Promise.all([this.#ask(name, 'A'), this.#ask(name, 'AAAA')])
    const known = [v4, v6].flatMap((answer) => (isFault(answer) ? [] : [answer]))
    if (known.some((addresses) => addresses.length > 1)) {
      // The name leads to pods. The service has no VIP, and pods come and go.
      this.#entries.delete(name)
      this.#refusals.set(
        name,
        `\`${name}\` is headless: it resolves to several addresses; give the service a VIP`,
      )
    } else {
      const isFound = known.some((addresses) => addresses.length > 0)
      const before = this.#entries.get(name)
      this.#entries.set(name, {
        A: this.#toEntry(v4, before?.A, isFound),
        AAAA: this.#toEntry(v6, before?.AAAA, isFound),
      })
      if (isFound) this.#refusals.delete(name)
      else if (known.length === 2)
        this.#refusals.set(name, `\`${name}\` does not resolve: DNS has no address of it`)
    }
    const faults = [v4, v6].filter(isFault)
    return faults.length === 0
      ? []
      : [`\`${name}\` cannot be looked up: ${faults.map(({ reason }) => reason).join(', ')}`]
  }

  /** Returns the new state of one family. `isFound`: the name has an address of either family. */
  #toEntry(answer: readonly string[] | Fault, before: Entry | undefined, isFound: boolean): Entry {
    const nowMs = this.#options.nowMs()
    const { addresses, notGoneAtMs } = before ?? { addresses: [], notGoneAtMs: Number.NEGATIVE_INFINITY }
    if (isFault(answer)) return { addresses, notGoneAtMs: nowMs }
    if (answer.length > 0 || isFound) return { addresses: answer, notGoneAtMs: nowMs }
    // A DNS server that has just started may not know all names yet.
    return nowMs - notGoneAtMs >= dropAfterMs ? { addresses: [], notGoneAtMs } : { addresses, notGoneAtMs }
  }

  /**
   * Returns the addresses of one family; empty if DNS says so. The final dot disables search domains, which could resolve
   * another name.
   */
  async #ask(name: string, family: Family): Promise<readonly string[] | Fault> {
    try {
      const answers =
        family === 'A' ? await this.#resolver.resolve4(`${name}.`) : await this.#resolver.resolve6(`${name}.`)
      return answers.toSorted()
    } catch (cause) {
      // NXDOMAIN, or an answer without records (RFC 2308). Any other error implies nothing about the name.
      if (isErrno(cause, 'ENOTFOUND') || isErrno(cause, 'ENODATA')) return []
      return fault(`${family} ${cause instanceof Error && 'code' in cause ? cause.code : cause}`)
    }
  }
}
