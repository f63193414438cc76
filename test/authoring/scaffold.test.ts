import { expect } from 'chai'
import { draftCatalog } from '../../src/authoring/scaffold.ts'
import { parseTrustDomain } from '../../src/base/model/spiffe-id.ts'
import { parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { behindWaypoint, type ClusterService } from '../support/cluster.ts'
import { mustParse, scaffold } from '../support/scaffolded.ts'

describe('authoring/scaffold', () => {
  it('drafts a catalog that parses: names, addresses, identity and waypoint of each service', () => {
    const catalog = mustParse(
      scaffold(
        [{ name: 'insurance' }, { name: 'records', spec: { clusterIP: '10.96.0.11' } }],
        [{ app: 'insurance' }, { app: 'records', account: 'patient-records' }],
      ),
    )
    expect(
      catalog.services.map(({ name, addresses }) => [name, addresses.map(({ text }) => text)]),
    ).to.deep.equal([
      ['insurance', ['insurance.hospital.svc.cluster.local:8080', '10.96.0.10:8080']],
      ['records', ['records.hospital.svc.cluster.local:8080', '10.96.0.11:8080']],
    ])
    expect(catalog.services.map(({ spiffeId }) => spiffeId.uri)).to.deep.equal([
      'spiffe://hospital.example/ns/hospital/sa/insurance',
      'spiffe://hospital.example/ns/hospital/sa/patient-records',
    ])
    expect([...catalog.waypoints]).to.deep.equal(['spiffe://hospital.example/ns/hospital/sa/waypoint'])
    expect(catalog.services.some(({ isEntry, forwards }) => isEntry || forwards)).to.equal(false)
  })

  const waypoints: readonly {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly ofNamespace?: Readonly<Record<string, string>>
    readonly want: string
  }[] = [
    {
      name: "in the service's own namespace",
      labels: { 'istio.io/use-waypoint': 'proxy' },
      want: '/ns/clinic/sa/proxy',
    },
    { name: 'in another namespace', labels: behindWaypoint, want: '/ns/hospital/sa/waypoint' },
    {
      name: "by the namespace's label",
      labels: {},
      ofNamespace: behindWaypoint,
      want: '/ns/hospital/sa/waypoint',
    },
    {
      name: "by its own label rather than the namespace's",
      labels: { 'istio.io/use-waypoint': 'proxy' },
      ofNamespace: behindWaypoint,
      want: '/ns/clinic/sa/proxy',
    },
    { name: 'as a placeholder when no label names it', labels: {}, want: '/ns/clinic/sa/REPLACE-waypoint' },
  ]
  for (const { name, labels, ofNamespace, want } of waypoints) {
    it(`names the waypoint ${name}`, () => {
      const namespaces = ofNamespace === undefined ? [] : [{ name: 'clinic', labels: ofNamespace }]
      const yaml = scaffold([{ name: 'records', namespace: 'clinic', labels }], [], namespaces)
      expect(mustParse(yaml).services[0]?.waypoint.path).to.equal(want)
    })
  }

  const skipped: readonly (readonly [name: string, service: Partial<ClusterService>])[] = [
    ['a headless service', { spec: { clusterIP: 'None' } }],
    ['an ExternalName', { spec: { type: 'ExternalName', clusterIP: undefined } }],
    ['a service that selects no pods', { spec: { selector: undefined } }],
    ['a service that opts out', { labels: { 'istio.io/use-waypoint': 'none' } }],
    [
      "Waywarden's own service, whatever its name",
      { spec: { selector: { 'app.kubernetes.io/name': 'waywarden', 'app.kubernetes.io/instance': 'ours' } } },
    ],
    ["a waypoint's own service", { labels: { 'gateway.networking.k8s.io/gateway-name': 'waypoint' } }],
    [
      'a service of TCP and UDP ports alone that no waypoint asks about',
      {
        labels: {},
        spec: { ports: [{ port: 1, name: 'tcp-a' }, { port: 2, protocol: 'UDP' }, { port: 3306 }] },
      },
    ],
  ]
  for (const [name, service] of skipped) {
    it(`leaves out ${name}, and says so`, () => {
      const yaml = scaffold([{ ...service, name: 'skipped' }, { name: 'kept' }])
      expect(mustParse(yaml).services.map((each) => each.name)).to.deep.equal(['kept'])
      expect(yaml).to.match(/^# left out: "skipped\.hospital", /m)
    })
  }

  const ports: readonly { readonly name: string; readonly port: object; readonly isTaken: boolean }[] = [
    { name: 'that is called http', port: { port: 80, name: 'http' }, isTaken: true },
    { name: 'whose name begins with grpc', port: { port: 80, name: 'grpc-api' }, isTaken: true },
    {
      name: 'whose appProtocol is h2c',
      port: { port: 80, name: 'tcp', appProtocol: 'kubernetes.io/h2c' },
      isTaken: true,
    },
    { name: 'that says no protocol', port: { port: 80, name: 'web' }, isTaken: true },
    { name: 'without a name', port: { port: 80 }, isTaken: true },
    { name: 'that is called https', port: { port: 80, name: 'https' }, isTaken: false },
    {
      name: 'whose appProtocol is tcp',
      port: { port: 80, name: 'http', appProtocol: 'tcp' },
      isTaken: false,
    },
    { name: 'of a database', port: { port: 27017 }, isTaken: false },
  ]
  for (const { name, port, isTaken } of ports) {
    it(`${isTaken ? 'takes' : 'leaves out'} a port ${name}`, () => {
      const always = { port: 8080, name: 'http' }
      const [service] = mustParse(scaffold([{ name: 'a', spec: { ports: [always, port] } }])).services
      const addresses = service?.addresses.map(({ text }) => text)
      expect(addresses?.includes('10.96.0.10:80')).to.equal(isTaken)
    })
  }

  it('takes every cluster IP of a dual-stack service', () => {
    const yaml = scaffold([{ name: 'a', spec: { clusterIPs: ['10.96.0.10', 'fd00::a'] } }])
    const addresses = mustParse(yaml).services[0]?.addresses.map(({ text }) => text)
    expect(addresses).to.include.members(['10.96.0.10:8080', '[fd00::a]:8080'])
  })

  it('names services of one name by their namespaces, too', () => {
    const twin = { name: 'a', namespace: 'clinic', spec: { clusterIP: '10.96.0.11' } }
    const { services } = mustParse(scaffold([{ name: 'a' }, twin]))
    expect(services.map(({ name }) => name)).to.deep.equal(['a.hospital', 'a.clinic'])
  })

  it('takes the most frequent service account of pods that run, and names the others', () => {
    const pods = [
      { app: 'a', account: 'old' },
      { app: 'a', account: 'new' },
      { app: 'a', account: 'new' },
      { app: 'a', account: 'job', phase: 'Succeeded' },
      { app: 'b', account: 'stray' },
      { app: 'a', account: 'elsewhere', namespace: 'clinic' },
    ]
    const yaml = scaffold([{ name: 'a' }], pods)
    expect(mustParse(yaml).services[0]?.spiffeId.path).to.equal('/ns/hospital/sa/new')
    expect(yaml).to.match(/several service accounts.*"new", "old"/)
    expect(yaml).not.to.match(/job|stray|elsewhere/)
  })

  it('has a placeholder where no pod tells the service account', () => {
    const yaml = scaffold([{ name: 'a' }, { name: 'b', spec: { clusterIP: '10.96.0.11' } }])
    expect(mustParse(yaml).services.map(({ spiffeId }) => spiffeId.path)).to.deep.equal([
      '/ns/hospital/sa/REPLACE-a',
      '/ns/hospital/sa/REPLACE-b',
    ])
  })

  it('leaves it to the author whether two services may share a service account', () => {
    const pods = [
      { app: 'a', account: 'both' },
      { app: 'b', account: 'both' },
    ]
    const yaml = scaffold([{ name: 'a' }, { name: 'b', spec: { clusterIP: '10.96.0.11' } }], pods)
    expect(yaml.match(/^ {2}# {3}shared: "why"$/gm)).to.have.length(2)
    expect(parseCatalog(yaml)).to.have.property('kind', 'problems')
    expect(
      mustParse(yaml.replaceAll(/^( +)forwards: false/gm, '$1shared: tried\n$&')).services,
    ).to.have.length(2)
  })

  it("leaves out Kubernetes' and Istio's own namespaces unless one is asked for", () => {
    const services = [
      { name: 'istiod', namespace: 'istio-system' },
      { name: 'a', spec: { clusterIP: '10.96.0.11' } },
    ]
    expect(mustParse(scaffold(services)).services.map(({ name }) => name)).to.deep.equal(['a'])
    const one = mustParse(scaffold(services, [], [], 'istio-system'))
    expect(one.services.map(({ name }) => name)).to.deep.equal(['istiod'])
  })

  it('lets no name write a line of its own', () => {
    const evil = 'x\nservices: [] # '
    const yaml = scaffold([
      { name: 'a', spec: { ports: [{ port: 80, name: evil }] } },
      { name: evil, spec: { clusterIP: 'None' } },
    ])
    expect(mustParse(yaml).services).to.have.length(1)
  })

  for (const { name, labelOf, accountOf, nameOf } of [
    { name: 'pods of their own', labelOf: String, accountOf: String, nameOf: (n: number) => `s${n}` },
    {
      name: 'the same pods',
      labelOf: () => 'same',
      accountOf: String,
      nameOf: (n: number) => `s${n}`,
    },
    {
      name: 'one service account',
      labelOf: String,
      accountOf: () => 'same',
      nameOf: (n: number) => `s${n}`,
    },
    { name: 'one name', labelOf: String, accountOf: String, nameOf: () => 'same' },
  ] as const) {
    it(`looks at each pod a few times, and writes little for each service, though all have ${name}`, () => {
      const count = 500
      const numbers = Array.from({ length: count }, (_, index) => index)
      const visits = { pods: 0, services: 0 }
      const pods = numbers.map((number) => ({
        metadata: { name: `p${number}`, namespace: 'hospital', labels: { app: labelOf(number) } },
        get spec() {
          visits.pods++
          return { serviceAccountName: `a${accountOf(number)}` }
        },
      }))
      const services = numbers.map((number) => ({
        get metadata() {
          visits.services++
          return { name: nameOf(number), namespace: 'hospital' }
        },
        spec: { clusterIP: '10.0.0.1', selector: { app: labelOf(number) }, ports: [{ port: 80 }] },
      }))
      const trustDomain = parseTrustDomain('hospital.example')
      if (typeof trustDomain !== 'string') throw new TypeError(trustDomain.reason)
      const { lines } = draftCatalog(
        { services, pods, namespaces: [] },
        { trustDomain, namespace: undefined },
      )
      expect(visits.pods).to.be.at.most(10 * count)
      expect(visits.services).to.be.at.most(40 * count)
      expect(lines.join('\n').length).to.be.at.most(2000 * count)
    })
  }

  it('drafts an empty catalog for an empty cluster', () => {
    expect(mustParse(scaffold([])).services).to.deep.equal([])
  })
})
