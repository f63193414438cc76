import { type IncomingMessage, request } from 'node:http'
import { toCanonicalAddress } from '../base/http/address.ts'
import type { DoctorConfig } from '../doctor/finding.ts'
import type { ProbeAnswer, ProbeView } from '../doctor/probe.ts'
import type { Catalog } from '../policy/catalog/catalog.ts'

const timeoutMs = 5000
const maxBytes = 64 * 1024
const xfcc = 'x-forwarded-client-cert'

/** Sends one honest request to a service of the mesh, and the same request with each forgery. */
export async function sendProbe(
  url: string,
  config: Pick<DoctorConfig, 'ingress'> | undefined,
  catalog: Catalog | undefined,
): Promise<ProbeView> {
  const forged: (ProbeAnswer | undefined)[] = []
  const lying: (ProbeAnswer | undefined)[] = []
  const honest = await send(url)
  // One after the other, so that differences are due to the forgery and not to load.
  for (const value of forgeries(config, catalog)) forged.push(await send(url, { [xfcc]: value }))
  for (const host of falseHosts(url, catalog)) lying.push(await send(url, { host }))
  return { url, honest, forged, lying }
}

/** A caller with more rights, in the exact form of a waypoint, and a form that Waywarden always refuses. */
function forgeries(
  config: Pick<DoctorConfig, 'ingress'> | undefined,
  catalog: Catalog | undefined,
): readonly string[] {
  const waypoint = catalog?.services[0]?.waypoint.uri ?? 'spiffe://cluster.local/ns/default/sa/waypoint'
  const mighty = config?.ingress.peers[0]?.id.uri ?? 'spiffe://cluster.local/ns/istio-system/sa/istiod'
  return [`By=${waypoint};URI=${mighty}`, `By=${waypoint};URI=-`]
}

function falseHosts(url: string, catalog: Catalog | undefined): readonly string[] {
  const { host } = new URL(url)
  const others = (catalog?.services ?? [])
    .flatMap(({ addresses }) => addresses)
    .filter(({ text, isIp }) => text !== toCanonicalAddress(host) && !isIp)
    .map(({ text }) => text)
  return [others[0] ?? 'kubernetes.default.svc.cluster.local', 'waywarden-doctor.invalid']
}

function send(url: string, headers: Readonly<Record<string, string>> = {}): Promise<ProbeAnswer | undefined> {
  return new Promise((resolve) => {
    const sent = request(url, { headers, agent: false, timeout: timeoutMs }, (response) => {
      toAnswer(response).then(resolve, () => resolve(undefined))
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(undefined))
    sent.end()
  })
}

async function toAnswer(response: IncomingMessage): Promise<ProbeAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    const part = Buffer.from(chunk)
    bytes += part.length
    chunks.push(part)
    if (bytes > maxBytes) break
  }
  const id = response.headers['waywarden-decision-id']
  return {
    status: response.statusCode ?? 0,
    decisionId: typeof id === 'string' ? id : undefined,
    contentType: response.headers['content-type'],
    body: Buffer.concat(chunks).toString(),
  }
}
