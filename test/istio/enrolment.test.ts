import { readFileSync } from 'node:fs'
import { expect } from 'chai'

const documents = ['istio/README.md', 'docs/install.md']
const needed = new Map([
  ['istio.io/dataplane-mode', 'ambient'],
  ['istio.io/use-waypoint', 'waypoint'],
  ['istio.io/use-waypoint-namespace', 'hospital'],
  ['istio.io/ingress-use-waypoint', 'true'],
])

describe('istio enrolment', () => {
  for (const document of documents) {
    const lines = readFileSync(document, 'utf8').split('\n')
    const words = lines.filter((line) => line.startsWith('kubectl label ')).flatMap((line) => line.split(' '))

    it(`sets every label that a request needs to reach the waypoint: ${document}`, () => {
      for (const [label, value] of needed) expect(words).to.include(`${label}=${value}`)
    })

    it(`takes every label of the waypoint away again: ${document}`, () => {
      for (const label of needed.keys()) {
        if (label !== 'istio.io/dataplane-mode') expect(words).to.include(`${label}-`)
      }
    })

    it(`opens the way around before the waypoint is gone: ${document}`, () => {
      const guard = lines.findIndex((line) => line.includes('delete authorizationpolicy/only-waypoint'))
      const label = lines.findIndex((line) => line.includes('istio.io/use-waypoint- '))
      expect(guard).to.be.within(0, label)
    })
  }
})
