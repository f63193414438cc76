import { expect } from 'chai'
import fc from 'fast-check'
import { indexByLabels, type Labels } from '../../src/authoring/label-index.ts'

type Item = { readonly namespace: string; readonly labels: Labels }

const labels = fc
  .dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', ''))
  .map((each): Labels => new Map(Object.entries(each)))
const item = fc.record({ namespace: fc.constantFrom('x', 'y'), labels })

describe('authoring/label-index', () => {
  it('selects what one would find by looking at every item', () => {
    fc.assert(
      fc.property(fc.array(item), fc.array(item, { minLength: 1 }), (items, questions) => {
        const index = indexByLabels<Item>(items, {
          namespaceOf: ({ namespace }) => namespace,
          labelsOf: (each) => each.labels,
        })
        for (const { namespace, labels: selector } of questions) {
          const want = items.filter(
            (each) =>
              each.namespace === namespace &&
              [...selector].every(([name, value]) => each.labels.get(name) === value),
          )
          expect(index.select(namespace, selector)).to.deep.equal(want)
        }
      }),
    )
  })
})
