import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { generateKey } from '../../src/decision/chain/keys.ts'
import { readJwks } from './forge.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A value of a Kubernetes object. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json }

/** A Kubernetes object as a renderer prints it. */
export type KubeObject = { readonly [key: string]: Json }

/** The objects that an overlay or the chart renders; `metadata` adds the EnvoyFilter to `enforce`. */
export type Variant = 'observe' | 'enforce' | 'metadata'

export const variants: readonly Variant[] = ['observe', 'enforce', 'metadata']

/** An overlay, or `enforce` with the components that only kustomize has. */
export type Overlay = Variant | 'git-sync' | 'volumes' | 'everything'

const componentsOf: ReadonlyMap<Overlay, readonly string[]> = new Map([
  ['metadata', ['metadata']],
  ['git-sync', ['git-sync']],
  ['volumes', ['volumes']],
  ['everything', ['metadata', 'git-sync', 'volumes']],
])

const tools = join('.tools', 'bin')
const observedUntil = '2027-01-31'
let prepared: string | undefined
const built = new Map<Overlay, string>()

/** The objects of an overlay, from a copy of istio/ and policies/ in which an operator has done what base/ asks for. */
export function renderKustomize(variant: Overlay): readonly KubeObject[] {
  const folder = join(prepare(), 'istio', 'overlays', variant)
  const text =
    built.get(variant) ?? execFileSync(join(tools, 'kustomize'), ['build', folder], { encoding: 'utf8' })
  built.set(variant, text)
  return toObjects(text)
}

/** The objects of the chart with values that say the same; `overrides` are merged at the top level. */
export function renderHelm(variant: Variant, overrides: KubeObject = {}): readonly KubeObject[] {
  const folder = prepare()
  const values = join(folder, `${variant}-values.yaml`)
  writeFileSync(values, stringify({ ...helmValues(folder, variant), ...overrides }))
  const text = execFileSync(
    join(tools, 'helm'),
    ['template', 'waywarden', 'istio/helm/waywarden', '--values', values],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  )
  return toObjects(text)
}

/** The value at a path of keys and indices, `undefined` where there is none. */
export function at(value: Json, ...path: readonly (string | number)[]): Json {
  let node = value
  for (const key of path) {
    if (typeof node !== 'object' || node === null) return undefined
    node = (node as { readonly [key: string]: Json })[key]
  }
  return node
}

/** The items of a list, and none of anything else. */
export function items(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** `Kind/namespace/name`. */
export function idOf(object: KubeObject): string {
  const { kind, metadata } = object
  return [kind, at(metadata, 'namespace') ?? '', at(metadata, 'name')].join('/')
}

/** The fragment of the mesh configuration. */
export function readMeshConfig(): Json {
  return parse(readFileSync('istio/mesh-config.yaml', 'utf8'))
}

function prepare(): string {
  if (prepared !== undefined) return prepared
  const folder = temporaryDirectory()
  cpSync('istio', join(folder, 'istio'), { recursive: true })
  cpSync('policies', join(folder, 'policies'), { recursive: true })
  const base = join(folder, 'istio', 'base')
  writeFileSync(join(base, 'keys', 'active.jwk.json'), generateKey())
  writeFileSync(join(base, 'config', 'idp-jwks.json'), readJwks('hospital-idp'))
  for (const [overlay, names] of componentsOf) {
    const components = names.map((name) => `../../components/${name}`)
    mkdirSync(join(folder, 'istio', 'overlays', overlay))
    writeFileSync(
      join(folder, 'istio', 'overlays', overlay, 'kustomization.yaml'),
      stringify({ resources: ['../enforce'], components }),
    )
  }
  prepared = folder
  return folder
}

function helmValues(folder: string, variant: Variant): object {
  const base = join(folder, 'istio', 'base')
  const policies = readdirSync('policies', { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(cedar|cedarschema|json)$/.test(path) || path === 'services.yaml')
    .map((path) => [path, readFileSync(join('policies', path), 'utf8')])
  return {
    observe: variant === 'observe' ? { until: observedUntil } : false,
    keys: { active: readFileSync(join(base, 'keys', 'active.jwk.json'), 'utf8') },
    idpJwks: readFileSync(join(base, 'config', 'idp-jwks.json'), 'utf8'),
    policies: Object.fromEntries(policies),
    ...(variant === 'metadata'
      ? { waypoint: { name: 'waypoint', namespace: 'hospital', peer: 'metadata' } }
      : {}),
  }
}

function toObjects(text: string): readonly KubeObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
}
