import { Resolver } from 'node:dns/promises'
import type { Report } from '../model/event.ts'
import type { Resolved } from './addresses.ts'

export type DnsOptions = {
  /** The names that matter now. */
  readonly names: () => readonly string[]
  /** Another set of answers is a new generation. */
  readonly onChange: (resolved: Resolved) => void
  readonly report: Report
  readonly pollMs: number
  readonly nowMs: () => number
  /** DNS servers as `IP:port`; the system's when left out. */
  readonly servers?: readonly string[]
  /** How long one server gets for one answer. */
  readonly timeoutMs?: number
}

type Entry = { readonly addresses: readonly string[]; readonly resolvedAtMs: number }

const defaultTimeoutMs = 2000
const dropAfterMs = 60_000

/** Looks names up, and follows what they resolve to. */
export async function openDns(options: DnsOptions): Promise<DnsSource> {
  const source = new DnsSource(options)
  await source.refresh()
  return source
}

/** What names resolve to, looked up again and again. A name that no longer resolves keeps its answer for a minute. */
export class DnsSource implements AsyncDisposable {
  readonly #options: DnsOptions
  readonly #resolver: Resolver
  readonly #timer: NodeJS.Timeout
  readonly #entries = new Map<string, Entry>()
  readonly #problems = new Map<string, string>()
  #refreshing: Promise<void> = Promise.resolve()

  constructor(options: DnsOptions) {
    this.#options = options
    this.#resolver = new Resolver({ timeout: options.timeoutMs ?? defaultTimeoutMs, tries: 2 })
    if (options.servers !== undefined) this.#resolver.setServers(options.servers)
    this.#timer = setInterval(() => void this.refresh(), options.pollMs).unref()
  }

  /** Why names lead nowhere; empty when all resolve. */
  get problems(): readonly string[] {
    return [...this.#problems.values()]
  }

  /** Looks all names up now; one look at a time. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#look())
    return this.#refreshing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#resolver.cancel()
    await this.#refreshing
  }

  async #look(): Promise<void> {
    const names = this.#options.names()
    const before = JSON.stringify([...this.#entries].map(([name, { addresses }]) => [name, addresses]))
    for (const name of this.#entries.keys()) if (!names.includes(name)) this.#entries.delete(name)
    for (const name of this.#problems.keys()) if (!names.includes(name)) this.#problems.delete(name)
    await Promise.all(names.map((name) => this.#lookUp(name)))
    const after = JSON.stringify([...this.#entries].map(([name, { addresses }]) => [name, addresses]))
    if (before === after) return
    this.#options.onChange(new Map([...this.#entries].map(([name, { addresses }]) => [name, addresses])))
  }

  async #lookUp(name: string): Promise<void> {
    const families = await Promise.all([this.#ask(name, 'A'), this.#ask(name, 'AAAA')])
    const addresses = families.flat()
    if (families.some((family) => family.length > 1)) {
      // Pods behind one name: no VIP stands for the service, and pods come and go.
      this.#refuse(
        name,
        `\`${name}\` is headless: it resolves to ${addresses.length} addresses; give the service a VIP`,
      )
      this.#entries.delete(name)
    } else if (addresses.length > 0) {
      this.#problems.delete(name)
      this.#entries.set(name, { addresses, resolvedAtMs: this.#options.nowMs() })
    } else {
      this.#refuse(name, `\`${name}\` does not resolve`)
      const { resolvedAtMs } = this.#entries.get(name) ?? { resolvedAtMs: Number.NEGATIVE_INFINITY }
      if (this.#options.nowMs() - resolvedAtMs >= dropAfterMs) this.#entries.delete(name)
    }
  }

  /** A final dot: no search domain may turn one name into another. */
  async #ask(name: string, type: 'A' | 'AAAA'): Promise<readonly string[]> {
    try {
      const answers =
        type === 'A' ? await this.#resolver.resolve4(`${name}.`) : await this.#resolver.resolve6(`${name}.`)
      return answers.toSorted()
    } catch {
      return []
    }
  }

  #refuse(name: string, problem: string): void {
    if (this.#problems.get(name) === problem) return
    this.#problems.set(name, problem)
    this.#options.report({ kind: 'source_refused', what: 'names', problems: [problem] })
  }
}
