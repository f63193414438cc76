import { Gauge, type Registry } from 'prom-client'

/** Metrics of identity providers, by configured name. */
export type IssuerMetrics = {
  /** Called after each reading of a provider's keys, with the number of unusable keys. */
  readonly issuerKeysChecked: (issuer: string, unusable: number) => void
}

/** Creates the metrics of identity providers. */
export function createIssuerMetrics(registry: Registry): IssuerMetrics {
  const unusable = new Gauge({
    name: 'waywarden_issuer_keys_unusable',
    help: 'Signing keys of an identity provider that are unusable here; tokens signed with them are refused',
    labelNames: ['issuer'],
    registers: [registry],
  })
  return { issuerKeysChecked: (issuer, count) => unusable.set({ issuer }, count) }
}
