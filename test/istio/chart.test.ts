import { expect } from 'chai'
import { parse } from 'yaml'
import {
  at,
  idOf,
  type Json,
  type KubeObject,
  renderHelm,
  renderKustomize,
  variants,
} from '../support/rendered.ts'

describe('istio/helm', () => {
  for (const variant of variants) {
    it(`renders the same objects as the overlay: ${variant}`, () => {
      const chart = byId(renderHelm(variant))
      const overlay = byId(renderKustomize(variant))
      expect([...chart.keys()].sort()).to.deep.equal([...overlay.keys()].sort())
      for (const [id, object] of overlay) expect(chart.get(id), id).to.deep.equal(object)
    })
  }

  it('names the Secret that the operator has, and makes none', () => {
    const objects = renderHelm('enforce', { keys: { existingSecret: 'vault-keys' } })
    const deployment = objects.find(({ kind }) => kind === 'Deployment')
    const volumes = JSON.stringify(at(deployment, 'spec', 'template', 'spec', 'volumes'))
    expect(objects.some(({ kind }) => kind === 'Secret')).to.equal(false)
    expect(volumes).to.include('"secretName":"vault-keys"')
  })

  it('lets the pod reach whom the operator names, beside DNS', () => {
    const rule = { to: [{ ipBlock: { cidr: '203.0.113.10/32' } }], ports: [{ protocol: 'TCP', port: 443 }] }
    const egressOf = (values: KubeObject) => {
      const policy = renderHelm('enforce', values).find(
        (object) => object['kind'] === 'NetworkPolicy' && at(object, 'metadata', 'name') === 'waywarden',
      )
      return at(policy, 'spec', 'egress')
    }
    const usual = egressOf({})
    expect(usual).to.be.an('array').with.length(1)
    expect(egressOf({ networkPolicy: { egress: [rule] } })).to.deep.equal([...[usual].flat(), rule])
  })

  it('runs where and as the cluster wants it', () => {
    const tolerations = [{ key: 'dedicated', operator: 'Equal', value: 'security', effect: 'NoSchedule' }]
    const affinity = { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }
    const objects = renderHelm('enforce', {
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations,
      affinity,
      podAnnotations: { 'example.com/team': 'security', 'prometheus.io/scrape': 'false' },
      service: { annotations: { 'example.com/of': 'service' } },
      serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/waywarden' } },
    })
    const ours = (kind: string) =>
      objects.find((object) => object['kind'] === kind && at(object, 'metadata', 'name') === 'waywarden')
    const template = at(ours('Deployment'), 'spec', 'template')
    expect(at(template, 'spec', 'imagePullSecrets')).to.deep.equal([{ name: 'registry' }])
    expect(at(template, 'spec', 'nodeSelector')).to.deep.equal({ 'kubernetes.io/arch': 'arm64' })
    expect(at(template, 'spec', 'tolerations')).to.deep.equal(tolerations)
    expect(at(template, 'spec', 'affinity')).to.deep.equal(affinity)
    expect(at(template, 'metadata', 'annotations')).to.deep.equal({
      'example.com/team': 'security',
      'prometheus.io/path': '/metrics',
      'prometheus.io/port': '9192',
      'prometheus.io/scrape': 'false',
    })
    expect(at(ours('Service'), 'metadata', 'annotations', 'example.com/of')).to.equal('service')
    expect(at(ours('ServiceAccount'), 'metadata', 'annotations')).to.have.property(
      'eks.amazonaws.com/role-arn',
    )
  })

  it('observes the services that are named', () => {
    const observe = { until: '2027-01-31', services: ['insurance', 'patient-records'] }
    const settings = renderHelm('enforce', { observe }).find((object) => idOf(object).endsWith('settings'))
    expect(at(settings, 'data', 'WAYWARDEN__OBSERVE__SERVICES__1')).to.equal('patient-records')
  })

  it('carries the keys of a rotation', () => {
    const secret = renderHelm('enforce', { keys: { active: 'a', next: 'b', previous: 'c' } }).find(
      ({ kind }) => kind === 'Secret',
    )
    const files = ['active.jwk.json', 'next.jwk.json', 'previous.jwk.json']
    expect(Object.keys(at(secret, 'data') ?? {})).to.deep.equal(files)
  })

  it('takes recovery once the operator says why several replicas are safe', () => {
    const recovery = { trace: true, replicas: 'waypoints hash by trace' }
    const config = renderHelm('enforce', { config: { recovery } }).find((object) =>
      idOf(object).endsWith('waywarden-config'),
    )
    expect(parse(String(at(config, 'data', 'waywarden.yaml')))).to.deep.include({ recovery })
  })

  const refused: readonly { readonly name: string; readonly values: KubeObject }[] = [
    { name: 'an unknown value', values: { replicas: 3 } },
    { name: 'no choice between observing and enforcing', values: { observe: null } },
    { name: 'observing without an end', values: { observe: true } },
    { name: 'an end of observing that is no day', values: { observe: { until: 'soon' } } },
    {
      name: 'an annotation that takes the pods out of the mesh',
      values: { podAnnotations: { 'ambient.istio.io/bypass-inbound-capture': 'true' } },
    },
    { name: 'an annotation that is no text', values: { podAnnotations: { a: 1 } } },
    { name: 'a misspelt affinity', values: { affinity: { nodeAfinity: {} } } },
    { name: 'a pull secret without a name', values: { imagePullSecrets: ['registry'] } },
    { name: 'no signing key', values: { keys: {} } },
    { name: 'an empty signing key', values: { keys: { active: '' } } },
    { name: 'no keys of the identity provider', values: { idpJwks: '' } },
    {
      name: 'recovery, of which several replicas know nothing',
      values: { config: { recovery: { trace: true } } },
    },
    { name: 'policies without a catalog', values: { policies: { 'team/a.cedar': '' } } },
    {
      name: 'a policy path that leaves the repository',
      values: { policies: { 'services.yaml': '', '../a.cedar': '' } },
    },
  ]
  for (const { name, values } of refused) {
    it(`refuses ${name}`, () => {
      expect(() => renderHelm('enforce', values)).to.throw()
    })
  }
})

function byId(objects: readonly KubeObject[]): ReadonlyMap<string, Json> {
  return new Map(objects.map((object) => [idOf(object), comparable(object)]))
}

/** YAML, JSON and base64 may be laid out differently, and mounted files may be listed in another order. */
function comparable(object: KubeObject): Json {
  const data = Object.entries(object['data'] ?? {}).map(([key, text]: [string, Json]) => {
    const isTree = key === 'waywarden.yaml' || key === 'revocations.json'
    if (isTree) return [key, parse(String(text))]
    return [key, object['kind'] === 'Secret' ? Buffer.from(String(text), 'base64').toString() : text]
  })
  return sorted(object['data'] === undefined ? object : { ...object, data: Object.fromEntries(data) })
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) {
    const list = value.map(sorted)
    return list.every((item) => at(item, 'key') !== undefined && at(item, 'path') !== undefined)
      ? list.sort((one, other) => String(at(one, 'key')).localeCompare(String(at(other, 'key')), 'en'))
      : list
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]))
}
