import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { inclusionPath, rootOfPath } from '../../../src/audit/format/inclusion.ts'
import { createTree, type Hash, leafHash, toBytes } from '../../../src/audit/format/merkle.ts'

const sizes = Array.from({ length: 35 }, (_, index) => index + 1)
const leaves = sizes.map((size) => leafHash(Buffer.from(`record ${size}`)))

describe('audit/format/inclusion', () => {
  it('proves every leaf of every tree, by the definition of RFC 6962 §2.1.1', () => {
    for (const size of sizes) {
      const root = rootByDefinition(leaves.slice(0, size))
      for (let index = 0; index < size; index++) {
        const path = inclusionPath({ first: 0, frontier: [], leaves: leaves.slice(0, size) }, index)
        expect(path).to.deep.equal(pathByDefinition(index, leaves.slice(0, size)))
        expect(rootOfPath(leaves[index] ?? root, index, size, path)).to.deep.equal(root)
      }
    }
  })

  it('needs no leaves before those of the segment, only their frontier', () => {
    for (const first of sizes.slice(0, 20)) {
      const before = createTree()
      for (const leaf of leaves.slice(0, first)) before.add(leaf)
      const known = { first, frontier: before.frontier(), leaves: leaves.slice(first) }
      for (let index = first; index < leaves.length; index++) {
        expect(inclusionPath(known, index)).to.deep.equal(pathByDefinition(index, leaves))
      }
    }
  })

  it('leads no other leaf, index or path to the root', () => {
    const [size, index] = [21, 13]
    const path = inclusionPath({ first: 0, frontier: [], leaves: leaves.slice(0, size) }, index)
    const root = rootByDefinition(leaves.slice(0, size))
    const leaf = leaves[index] ?? ''
    const others = [
      rootOfPath(leaves[0] ?? leaf, index, size, path),
      rootOfPath(leaf, index + 1, size, path),
      rootOfPath(leaf, size, size, path),
      rootOfPath(leaf, index, size, path.slice(1)),
      rootOfPath(leaf, index, size, [...path, leaf]),
      rootOfPath(leaf, index, size, path.toReversed()),
    ]
    expect(others).not.to.include(root)
  })
})

function rootByDefinition(of: readonly Hash[]): Hash {
  const [only] = of
  if (only !== undefined && of.length === 1) return only
  const split = splitOf(of.length)
  const node = createHash('sha256').update(Buffer.of(1))
  return node
    .update(toBytes([rootByDefinition(of.slice(0, split))]))
    .update(toBytes([rootByDefinition(of.slice(split))]))
    .digest('binary')
}

function pathByDefinition(index: number, of: readonly Hash[]): readonly Hash[] {
  if (of.length === 1) return []
  const split = splitOf(of.length)
  return index < split
    ? [...pathByDefinition(index, of.slice(0, split)), rootByDefinition(of.slice(split))]
    : [...pathByDefinition(index - split, of.slice(split)), rootByDefinition(of.slice(0, split))]
}

function splitOf(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1)
}
