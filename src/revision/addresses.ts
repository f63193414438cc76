import { isIP } from 'node:net'
import type { Catalog, CatalogService } from './catalog.ts'

/** What names resolve to: IP addresses by absolute name. */
export type Resolved = ReadonlyMap<string, readonly string[]>

/** Names to look up: those of services that give no VIP themselves. */
export function namesToResolve(catalog: Catalog): readonly string[] {
  const unknown = catalog.services.filter(
    (service) => !service.addresses.some((address) => isIP(hostOf(address)) !== 0),
  )
  return [...new Set(unknown.flatMap((service) => service.addresses.map(hostOf)))]
}

/** The catalog with what its names resolve to. An address that two services claim belongs to neither. */
export function withResolved(catalog: Catalog, resolved: Resolved): Catalog {
  const byAddress = new Map<string, CatalogService>(catalog.byAddress)
  const contested = new Set<string>()
  for (const service of catalog.services) {
    for (const address of service.addresses.flatMap((written) => resolve(written, resolved))) {
      const owner = byAddress.get(address)
      if (owner !== undefined && owner !== service) contested.add(address)
      byAddress.set(address, service)
    }
  }
  for (const address of contested) byAddress.delete(address)
  return { ...catalog, byAddress }
}

function resolve(address: string, resolved: Resolved): readonly string[] {
  const host = hostOf(address)
  const port = address.slice(address.lastIndexOf(':'))
  return (resolved.get(host) ?? []).map((ip) => (ip.includes(':') ? `[${ip}]${port}` : `${ip}${port}`))
}

/** Without the brackets that a literal IPv6 address wears before a port. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
}
