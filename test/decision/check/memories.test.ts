import { expect } from 'chai'
import { toChainKeys } from '../../../src/decision/chain/keys.ts'
import { createMemories, type Memories } from '../../../src/decision/check/memories.ts'
import { parseSigningKey } from '../../../src/decision/jws/signing-key.ts'
import { revision } from '../../support/built-checker.ts'
import { good, readKey } from '../../support/forge.ts'
import { chainKey } from '../../support/hospital.ts'

const otherKey = good(parseSigningKey(readKey('chain-es256')))
const keys = toChainKeys(chainKey, [chainKey.public, otherKey.public])
const rotated = toChainKeys(otherKey, [chainKey.public, otherKey.public])
const withdrawn = toChainKeys(chainKey, [chainKey.public])
const changed = { ...revision, digest: 'other' }

describe('decision/check/memories', () => {
  const kinds: readonly {
    name: string
    at: (memories: Memories, by?: typeof keys, of?: typeof revision) => unknown
    onKeys: boolean
    onRevision: boolean
  }[] = [
    { name: 'chains', at: ({ chains }, by = keys) => chains(by), onKeys: true, onRevision: false },
    {
      name: 'children',
      at: ({ children }, by = keys, of = revision) => children(by, of),
      onKeys: true,
      onRevision: true,
    },
    {
      name: 'targets',
      at: ({ targets }, _by, of = revision) => targets(of),
      onKeys: false,
      onRevision: true,
    },
    {
      name: 'judgements',
      at: ({ judgements }, _by, of = revision) => judgements(of),
      onKeys: false,
      onRevision: true,
    },
  ]
  for (const { name, at, onKeys, onRevision } of kinds) {
    it(`forgets ${name} ${onKeys ? 'when another key signs or one is withdrawn' : 'for no change of keys'}`, () => {
      for (const other of [rotated, withdrawn]) {
        const memories = createMemories({ chains: 2, decisions: 2 })
        expect(at(memories) !== at(memories, other)).to.equal(onKeys)
      }
    })

    it(`forgets ${name} ${onRevision ? 'with their revision' : 'with no revision'}`, () => {
      const memories = createMemories({ chains: 2, decisions: 2 })
      expect(at(memories) !== at(memories, keys, changed)).to.equal(onRevision)
    })

    it(`keeps ${name} while keys and policies are read again and say the same`, () => {
      const memories = createMemories({ chains: 2, decisions: 2 })
      const again = toChainKeys(chainKey, [chainKey.public, otherKey.public])
      expect(at(memories)).to.equal(at(memories, again, { ...revision, id: 'another commit' }))
    })
  }
})
