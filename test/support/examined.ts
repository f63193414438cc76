import { readFileSync } from 'node:fs'
import { parseKubectlOutput } from '../../src/base/document/kubectl-output.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { toClusterView } from '../../src/doctor/cluster/view.ts'
import { examineCluster } from '../../src/doctor/examine.ts'
import type { DoctorConfig, Finding, FindingId } from '../../src/doctor/finding.ts'
import { type Catalog, parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { spiffeId } from './forge.ts'
import { healthyCluster, type Mutation, toKubectlJson } from './healthy-cluster.ts'
import { uris } from './hospital.ts'

/** One thing that is wrong, and what the doctor must find: this and nothing else. */
export type DoctorCase = {
  readonly name: string
  readonly mutate?: Mutation
  readonly config?: Partial<DoctorConfig>
  /** Replaces a text of services.yaml. */
  readonly catalog?: readonly [text: string, by: string]
  readonly want: readonly FindingId[]
}

const shipped: DoctorConfig = {
  listeners: [{ port: 9191, peer: 'xfcc', tls: undefined }],
  deadlineMs: 150,
  ingress: { peers: [{ id: spiffeId(uris.gateway) }] },
  observe: undefined,
  recovery: undefined,
}

/** Examines the healthy cluster after a change: JSON text in, findings out. */
export function examine({ mutate, config, catalog }: Omit<DoctorCase, 'name' | 'want'>): readonly Finding[] {
  const objects = healthyCluster()
  const parsed = parseKubectlOutput(toKubectlJson(mutate === undefined ? objects : mutate(objects)))
  if (isInvalid(parsed)) throw new TypeError(parsed.reason)
  return examineCluster(toClusterView(parsed), { ...shipped, ...config }, sampleCatalog(catalog))
}

/** The hospital's catalog, with one text replaced. */
export function sampleCatalog(replaced: readonly [text: string, by: string] = ['', '']): Catalog {
  const text = readFileSync('policies/services.yaml', 'utf8')
  if (!text.includes(replaced[0])) throw new Error(`services.yaml has no \`${replaced[0]}\``)
  const catalog = parseCatalog(text.replace(...replaced))
  if ('services' in catalog) return catalog
  throw new TypeError(JSON.stringify(catalog))
}
