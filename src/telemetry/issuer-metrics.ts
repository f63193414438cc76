import { Gauge, type Registry } from 'prom-client'

/** What dashboards see of identity providers, by our name for each. */
export type IssuerMetrics = {
  /** After each reading of a provider's keys: how many of them verify nothing. */
  readonly issuerKeysChecked: (issuer: string, unusable: number) => void
}

/** Creates the metrics of identity providers. */
export function createIssuerMetrics(registry: Registry): IssuerMetrics {
  const unusable = new Gauge({
    name: 'waywarden_issuer_keys_unusable',
    help: 'Keys for signatures of an identity provider that verify nothing here; tokens that they sign are refused',
    labelNames: ['issuer'],
    registers: [registry],
  })
  return { issuerKeysChecked: (issuer, count) => unusable.set({ issuer }, count) }
}
