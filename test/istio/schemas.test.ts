import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { type KubeObject, renderHelm, renderKustomize, variants } from '../support/rendered.ts'

const kubernetes = '1.34'
const definitions = [
  join('.tools', 'definitions', 'istio', 'customresourcedefinitions.gen.yaml'),
  join('.tools', 'definitions', 'gateway-api', 'gateway.networking.k8s.io_gateways.yaml'),
]

const wrong: readonly { readonly name: string; readonly object: KubeObject }[] = [
  {
    name: 'a field that Kubernetes does not know',
    object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' }, automount: true },
  },
  {
    name: 'a kind that nobody defines',
    object: {
      apiVersion: 'security.istio.io/v9',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'a' },
      spec: {},
    },
  },
  {
    name: 'a field that Istio does not know',
    object: istio('AuthorizationPolicy', { action: 'ALLOW', principals: [] }),
  },
  { name: 'an action that Istio does not have', object: istio('AuthorizationPolicy', { action: 'ASK' }) },
  {
    name: 'a mode that Istio does not have',
    object: istio('PeerAuthentication', { mtls: { mode: 'strict' } }),
  },
  {
    name: 'a waypoint without listeners',
    object: {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'a' },
      spec: { gatewayClassName: 'istio-waypoint' },
    },
  },
]

describe('istio schemas', () => {
  for (const variant of variants) {
    it(`accept what the overlay and the chart render: ${variant}`, () => {
      expect(problemsOf([...renderKustomize(variant), ...renderHelm(variant)])).to.deep.equal([])
    })
  }

  for (const overlay of ['git-sync', 'volumes', 'everything'] as const) {
    it(`accept what the components make of it: ${overlay}`, () => {
      expect(problemsOf(renderKustomize(overlay))).to.deep.equal([])
    })
  }

  for (const { name, object } of wrong) {
    it(`refuse ${name}`, () => {
      expect(problemsOf([object])).to.have.length.greaterThan(0)
    })
  }
})

function istio(kind: string, spec: KubeObject): KubeObject {
  return { apiVersion: 'security.istio.io/v1', kind, metadata: { name: 'a' }, spec }
}

/** The reasons for which an API server would refuse an object. */
function problemsOf(objects: readonly KubeObject[]): readonly string[] {
  const python = join('.tools', 'python', 'bin', 'python')
  const script = join('test', 'support', 'validate-objects.py')
  const output = execFileSync(python, [script, kubernetes, ...definitions], {
    input: JSON.stringify(objects),
    encoding: 'utf8',
  })
  return JSON.parse(output) as readonly string[]
}
