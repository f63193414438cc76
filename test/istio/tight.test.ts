import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { parse } from 'yaml'
import { findMeshFaults } from '../support/mesh-findings.ts'
import { findPodFaults } from '../support/pod-findings.ts'
import {
  at,
  idOf,
  type Json,
  type KubeObject,
  readMeshConfig,
  renderHelm,
  renderKustomize,
  type Variant,
  variants,
} from '../support/rendered.ts'

type Path = readonly (string | number)[]

/** One change of an installation; see the head of the file. */
type Change = {
  readonly name: string
  readonly variant?: Variant
  readonly object: string
  readonly path?: Path
  readonly value?: Json
  readonly want: readonly string[]
}

const changes = parse(readFileSync('test/cases/istio-faults.yaml', 'utf8')) as readonly Change[]

describe('istio', () => {
  for (const variant of variants) {
    it(`leaves no way around, from the overlay and from the chart: ${variant}`, () => {
      for (const objects of [renderKustomize(variant), renderHelm(variant)]) {
        expect(findFaults(objects, readMeshConfig())).to.deep.equal([])
      }
    })
  }

  for (const overlay of ['git-sync', 'volumes', 'everything'] as const) {
    it(`leaves no way around when components are added: ${overlay}`, () => {
      expect(findFaults(renderKustomize(overlay), readMeshConfig())).to.deep.equal([])
    })
  }

  it('guards nothing yet while it observes', () => {
    const guards = renderKustomize('observe').filter(({ metadata }) =>
      JSON.stringify(metadata).includes('only-waypoint'),
    )
    expect(guards).to.deep.equal([])
  })

  for (const { name, variant = 'enforce', object, path, value, want } of changes) {
    it(`is found out when ${name}`, () => {
      const objects = renderKustomize(variant)
      if (object === 'mesh') {
        expect(findFaults(objects, changed(readMeshConfig(), path ?? [], value))).to.deep.equal(want)
        return
      }
      expect(objects.map(idOf)).to.include(object)
      const mutated = objects.flatMap((candidate) => {
        if (idOf(candidate) !== object) return [candidate]
        return path === undefined ? [] : [changed(candidate, path, value) as KubeObject]
      })
      expect(findFaults(mutated, readMeshConfig())).to.deep.equal(want)
    })
  }
})

function findFaults(objects: readonly KubeObject[], meshConfig: Json): readonly string[] {
  return [...findMeshFaults({ objects, meshConfig }), ...findPodFaults(objects)]
}

/** A copy with one value set, or taken out when it is `undefined`; an index past the end appends. */
function changed(root: Json, path: Path, value: Json): Json {
  const [key, ...rest] = path
  if (key === undefined) return value
  const next = rest.length === 0 ? value : changed(at(root, key), rest, value)
  if (Array.isArray(root)) return root.toSpliced(Number(key), 1, ...(next === undefined ? [] : [next]))
  const others = Object.entries(root ?? {}).filter(([name]) => name !== key)
  return Object.fromEntries(next === undefined ? others : [...others, [key, next]])
}
