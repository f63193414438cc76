import { expect } from 'chai'
import { isInvalid } from '../../../src/model/invalid.ts'
import { at, listAt, parseKubeObjects, textAt } from '../../../src/review/doctor/kube-object.ts'

const pod = '{"kind":"Pod","metadata":{"name":"a","namespace":"n","labels":{"x":"1"}}}'
const service = '{"kind":"Service","metadata":{"name":"s } \\" {"}}'
const list = `{"kind":"List","items":[${pod},${service}]}`

const cases: readonly {
  readonly name: string
  readonly text: string
  readonly want: readonly string[] | undefined
}[] = [
  { name: 'one object', text: pod, want: ['Pod a'] },
  { name: 'a list', text: list, want: ['Pod a', 'Service s } " {'] },
  { name: 'an empty list', text: '{"kind":"List","items":[]}', want: [] },
  {
    name: 'lists and objects in a row',
    text: `${list}\n${pod}${pod}\n`,
    want: ['Pod a', 'Service s } " {', 'Pod a', 'Pod a'],
  },
  { name: 'a list in a list', text: `{"kind":"List","items":[${list}]}`, want: ['Pod a', 'Service s } " {'] },
  {
    name: 'YAML documents, as kustomize prints them',
    text: '---\nkind: Pod\nmetadata: {name: a}\n---\nkind: Service\nmetadata: {name: b}\n',
    want: ['Pod a', 'Service b'],
  },
  { name: 'nothing', text: '', want: [] },
  { name: 'an object that does not end', text: `${pod}{"kind":`, want: undefined },
  { name: 'broken JSON', text: '{"kind":}', want: undefined },
  { name: 'an object without a kind', text: '{"metadata":{}}', want: undefined },
  { name: 'a table', text: 'NAME  READY\na  1/1\n', want: undefined },
]

describe('review/doctor/kube-object', () => {
  for (const { name, text, want } of cases) {
    it(`reads ${name}`, () => {
      const objects = parseKubeObjects(text)
      expect(isInvalid(objects) ? undefined : objects.map((one) => `${one.kind} ${one.name}`)).to.deep.equal(
        want,
      )
    })
  }

  it('finds nothing where a path does not lead, and never a prototype', () => {
    const node = { a: { b: 7 }, list: 'text' }
    expect([textAt(node, 'a', 'b'), textAt(node, 'a', 'c'), at(node, 'a', 'toString')]).to.deep.equal([
      '7',
      undefined,
      undefined,
    ])
    expect(listAt(node, 'list')).to.deep.equal([])
  })
})
