import { X509Certificate } from 'node:crypto'
import type { TrustDomain } from '../../base/model/spiffe-id.ts'
import { show } from '../../base/text/show.ts'
import { splitPem } from './certificate-lifetimes.ts'

/**
 * Explains why a bundle of CAs must not verify waypoints. A CA may vouch only for its own trust domain (SPIFFE X509-SVID
 * §5). Node.js does not check that. So one CA of another domain in the bundle could issue a certificate for any waypoint.
 */
export function refuseClientCa(pem: string, trustDomain: TrustDomain): readonly string[] {
  const parts = splitPem(pem)
  if (parts.length === 0) return ['expected PEM certificates of CAs, found none']
  const problems: string[] = []
  let authorities = 0
  for (const [index, part] of parts.entries()) {
    const certificate = parseCertificate(part)
    const name = `certificate ${index + 1} of ${parts.length}`
    if (certificate === undefined) {
      problems.push(`${name} cannot be read; copy it anew`)
      continue
    }
    if (certificate.ca) authorities++
    for (const foreign of foreignDomains(certificate, trustDomain))
      problems.push(
        `${name} (${subjectOf(certificate)}) is of the trust domain ${show(foreign)}, and \`chain.trustDomain\` is ${show(trustDomain)}: it could issue any waypoint of ours. Remove it; never merge the bundles of trust domains`,
      )
  }
  if (problems.length === 0 && authorities === 0)
    problems.push('expected certificates of CAs, found certificates that may sign nothing')
  return problems
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** Searches the names in any form, because another parser may accept a name that ours refuses. */
function foreignDomains({ subjectAltName = '' }: X509Certificate, own: TrustDomain): readonly string[] {
  const found = [...subjectAltName.matchAll(/spiffe:\/\/([^/",\\\s]*)/gi)].map(([, domain = '']) => domain)
  return [...new Set(found.filter((domain) => domain !== own))]
}

function subjectOf({ subject = '' }: X509Certificate): string {
  return subject.replaceAll('\n', ', ') || 'without a subject'
}
