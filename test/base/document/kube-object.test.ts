import { expect } from 'chai'
import { at, labelsAt, listAt, textAt, toKubeObject } from '../../../src/base/document/kube-object.ts'

describe('base/document/kube-object', () => {
  it('takes out what every object has, and nothing where nothing stands', () => {
    const { kind, namespace, name, labels, annotations } = toKubeObject({
      kind: 'Pod',
      metadata: { name: 'a', labels: { x: 1 } },
    })
    expect({ kind, namespace, name, labels: [...labels], annotations: [...annotations] }).to.deep.equal({
      kind: 'Pod',
      namespace: '',
      name: 'a',
      labels: [['x', '1']],
      annotations: [],
    })
  })

  it('finds nothing where a path does not lead, and never a prototype', () => {
    const node = { a: { b: 7 }, list: 'text' }
    expect([textAt(node, 'a', 'b'), textAt(node, 'a', 'c'), at(node, 'a', 'toString')]).to.deep.equal([
      '7',
      undefined,
      undefined,
    ])
    expect(listAt(node, 'list')).to.deep.equal([])
    expect(labelsAt(node, 'list')).to.equal(undefined)
  })
})
