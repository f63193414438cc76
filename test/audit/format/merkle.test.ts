import { createHash } from 'node:crypto'
import { expect } from 'chai'
import {
  createTree,
  frontierLength,
  type Hash,
  leafHash,
  parseHash,
  toBase64,
  toBytes,
  toHashes,
} from '../../../src/audit/format/merkle.ts'

/** The leaves and roots that Certificate Transparency implementations test themselves with. */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

describe('audit/format/merkle', () => {
  it('has the roots of RFC 6962', () => {
    const tree = createTree()
    const found = [toHex(tree.root())]
    for (const leaf of leaves) {
      tree.add(leafHash(Buffer.from(leaf, 'hex')))
      found.push(toHex(tree.root()))
    }
    expect(found).to.deep.equal(roots)
    expect(tree.size()).to.equal(leaves.length)
  })

  for (const size of [0, 1, 3, 4, 5, 7, 8]) {
    it(`goes on from the frontier of a tree of ${size}`, () => {
      const before = createTree()
      for (const leaf of leaves.slice(0, size)) before.add(leafHash(Buffer.from(leaf, 'hex')))
      expect(before.frontier()).to.have.length(frontierLength(size))
      const after = createTree(size, before.frontier())
      for (const leaf of leaves.slice(size)) after.add(leafHash(Buffer.from(leaf, 'hex')))
      expect(toHex(after.root())).to.equal(roots.at(-1))
    })
  }

  it('takes a leaf of any length', () => {
    for (const length of [0, 1, 65_535, 65_536, 100_000]) {
      const bytes = Buffer.alloc(length, 'x')
      const want = createHash('sha256').update(Buffer.of(0)).update(bytes).digest('hex')
      expect(toHex(leafHash(bytes))).to.equal(want)
    }
  })

  it('writes hashes and reads them again', () => {
    const hashes = leaves.map((leaf) => leafHash(Buffer.from(leaf, 'hex')))
    expect(hashes.map((each) => parseHash(toBase64(each)))).to.deep.equal(hashes)
    expect(toHashes(toBytes(hashes))).to.deep.equal(hashes)
  })

  for (const text of ['', 'AAAA', `${'A'.repeat(43)}`, `${'A'.repeat(42)}B=`, '!'.repeat(44)]) {
    it(`takes \`${text}\` for no hash`, () => expect(parseHash(text)).to.equal(undefined))
  }
})

function toHex(hash: Hash): string {
  return toBytes([hash]).toString('hex')
}
