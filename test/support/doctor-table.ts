import { expect } from 'chai'
import { type DoctorCase, examine } from './examined.ts'

/** Plays a table: each change of the healthy cluster yields exactly its findings, each of them complete. */
export function playDoctorTable(cases: readonly DoctorCase[]): void {
  for (const { name, want, ...change } of cases) {
    it(`${name}: ${want.join(', ') || 'healthy'}`, () => {
      const findings = examine(change)
      expect(findings.map(({ id }) => id)).to.deep.equal(want)
      for (const { what, where, why, fix } of findings) {
        expect([what, where, why, fix].every((text) => text.length > 0)).to.equal(true)
        expect(`${what} ${where} ${fix}`).to.not.match(/undefined|\[object|null/)
      }
    })
  }
}
