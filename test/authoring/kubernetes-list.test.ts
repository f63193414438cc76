import { expect } from 'chai'
import { toKubernetesList } from '../../src/authoring/kubernetes-list.ts'
import { toKubeObject } from '../../src/base/document/kube-object.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { kubectlJson } from '../support/cluster.ts'

describe('authoring/kubernetes-list', () => {
  it('sorts what kubectl prints, and passes over what a catalog does not need', () => {
    const { items } = JSON.parse(
      kubectlJson([{ name: 'a' }], [{ app: 'a' }], [{ name: 'hospital', labels: {} }]),
    )
    const list = toKubernetesList([...items, { kind: 'Deployment', metadata: 7 }].map(toKubeObject))
    if (isInvalid(list)) throw new TypeError(list.reason)
    const counts = [list.services, list.pods, list.namespaces].map(({ length }) => length)
    expect(counts).to.deep.equal([1, 1, 1])
  })

  const refused: readonly { readonly name: string; readonly body: object; readonly says: RegExp }[] = [
    {
      name: 'a service without a spec',
      body: { kind: 'Service', metadata: { name: 'a', namespace: 'n' } },
      says: /^Service n\/a: `spec`/,
    },
    {
      name: 'a pod without a name',
      body: { kind: 'Pod', metadata: {}, spec: {} },
      says: /^object 1, a Pod: `metadata.name`/,
    },
    {
      name: 'a namespace without metadata',
      body: { kind: 'Namespace' },
      says: /^object 1, a Namespace: `metadata`/,
    },
    {
      name: 'a port that is no number',
      body: { kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 'x' }] } },
      says: /`spec.ports.0.port`.*found `x`/,
    },
  ]
  for (const { name, body, says } of refused) {
    it(`refuses ${name}`, () => {
      expect(toKubernetesList([toKubeObject(body)]))
        .to.have.property('reason')
        .that.matches(says)
    })
  }
})
