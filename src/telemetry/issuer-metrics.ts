import { Counter, Gauge, type Registry } from 'prom-client'

/** Metrics of identity providers, by configured name. */
export type IssuerMetrics = {
  /** Called after each reading of a provider's keys, with the number of unusable keys. */
  readonly issuerKeysChecked: (issuer: string, unusable: number) => void
  /** When its keys were read, milliseconds since the epoch. */
  readonly issuerKeysRead: (issuer: string, atMs: number) => void
  readonly issuerKeyMissed: (issuer: string) => void
  /** Counts the result for a user's token; `undefined`: of an issuer that nobody knows. */
  readonly tokenJudged: (issuer: string | undefined, reason: string) => void
}

/** Creates the metrics of identity providers. */
export function createIssuerMetrics(registry: Registry): IssuerMetrics {
  const unusable = new Gauge({
    name: 'waywarden_issuer_keys_unusable',
    help: 'Signing keys of an identity provider that are unusable here; tokens signed with them are refused',
    labelNames: ['issuer'],
    registers: [registry],
  })
  const readAtMs = new Map<string, number>()
  new Gauge({
    name: 'waywarden_issuer_keys_age_seconds',
    help: 'Time since the keys in force of an identity provider were fetched from it',
    labelNames: ['issuer'],
    registers: [registry],
    collect() {
      for (const [issuer, atMs] of readAtMs) this.set({ issuer }, Math.max(0, Date.now() - atMs) / 1000)
    },
  })
  const misses = new Counter({
    name: 'waywarden_issuer_key_misses_total',
    help: 'Tokens that name a key of an identity provider which is not in the set in force',
    labelNames: ['issuer'],
    registers: [registry],
  })
  const tokens = new Counter({
    name: 'waywarden_tokens_total',
    help: "Users' tokens at ingress by identity provider and by why they were refused; `accepted` when they were not",
    labelNames: ['issuer', 'reason'],
    registers: [registry],
  })
  return {
    issuerKeysChecked: (issuer, count) => unusable.set({ issuer }, count),
    issuerKeysRead(issuer, atMs) {
      // From 0: of a series that begins with its first miss, no rate sees that one.
      misses.inc({ issuer }, 0)
      readAtMs.set(issuer, atMs)
    },
    issuerKeyMissed: (issuer) => misses.inc({ issuer }),
    tokenJudged: (issuer, reason) => tokens.inc({ issuer: issuer ?? 'unknown', reason }),
  }
}
