import { expect } from 'chai'
import { isInvalid } from '../../src/model/invalid.ts'
import { parseKubernetesList } from '../../src/revision/kubernetes-list.ts'
import { kubectlJson } from '../support/cluster.ts'

describe('revision/kubernetes-list', () => {
  it('sorts what kubectl prints, and passes over what a catalog does not need', () => {
    const printed = JSON.parse(
      kubectlJson([{ name: 'a' }], [{ app: 'a' }], [{ name: 'hospital', labels: {} }]),
    )
    printed.items.push({ kind: 'Deployment', metadata: 7 })
    const list = parseKubernetesList(JSON.stringify(printed))
    if (isInvalid(list)) throw new TypeError(list.reason)
    const counts = [list.services, list.pods, list.namespaces].map(({ length }) => length)
    expect(counts).to.deep.equal([1, 1, 1])
  })

  const refused: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'no JSON', text: 'NAME   TYPE' },
    { name: 'no object', text: 'null' },
    { name: 'one item instead of a list', text: '{"kind":"Service","metadata":{"name":"a"},"spec":{}}' },
    { name: 'an item without a kind', text: '{"kind":"List","items":[{}]}' },
    {
      name: 'a service without a spec',
      text: '{"kind":"List","items":[{"kind":"Service","metadata":{"name":"a"}}]}',
    },
    {
      name: 'a pod without a name',
      text: '{"kind":"List","items":[{"kind":"Pod","metadata":{},"spec":{}}]}',
    },
    { name: 'a namespace without metadata', text: '{"kind":"List","items":[{"kind":"Namespace"}]}' },
  ]
  for (const { name, text } of refused) {
    it(`refuses ${name}`, () => {
      expect(parseKubernetesList(text)).to.include({ kind: 'invalid' })
    })
  }
})
