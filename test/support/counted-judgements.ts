import type { Caller } from '../../src/base/model/caller.ts'
import type { Chain } from '../../src/base/model/chain.ts'
import { isDeny, type PrincipalResult } from '../../src/base/model/decision.ts'
import type { Query } from '../../src/base/model/query.ts'
import { findTarget, judgeRemembered } from '../../src/decision/check/remembered.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { factsOf } from './built-checker.ts'
import { caller, clerk, delegated, hospital } from './identities.ts'
import { mustLoad, policyFiles, servicesYaml } from './policy-files.ts'

const routes = ['GET', 'PUT'].map((method) => ({
  match: `${method} /patients/{patientId}`,
  action: 'read-it',
  resource: 'Patient::{patientId}',
}))
/** The revision whose questions are counted. */
export const loaded: Revision = mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes }) }))

/** A revision that counts its questions, and answers `outcome`. Its digest names the outcome, as that of other policies would. */
export function counting(outcome: PrincipalResult['outcome'] = 'permit'): {
  readonly asked: Query[]
  readonly revision: Revision
} {
  const asked: Query[] = []
  const evaluate = (query: Query): PrincipalResult => {
    asked.push(query)
    return {
      principal: { type: 'Agent', id: 'x' },
      role: query.role,
      outcome,
      determiningPolicies: [],
      errors: [],
    }
  }
  return { asked, revision: { ...loaded, digest: outcome, evaluate } }
}

/** A question; what is left out is agent D's about a patient. */
export type Question = {
  readonly who?: Caller
  readonly chain?: Chain
  readonly path?: string
  readonly method?: string
}

/** A memory that lasts, and what it says of questions to revisions. */
export function remembering(
  overlay: object = {},
): (revision: Revision, question?: Question) => ReturnType<typeof judgeRemembered> {
  const [known] = loaded.catalog.services
  if (known === undefined) throw new TypeError('no service')
  const service = { ...known, ...overlay }
  const facts = factsOf()
  return (revision: Revision, question: Question = {}) => {
    const {
      who = caller(hospital.agentD),
      chain: on = chain,
      path = '/patients/42',
      method = 'GET',
    } = question
    const request = { method, path, isUpgrade: false }
    const { target, ...keys } = findTarget(service, who, on, request, { ...facts, revision })
    if (isDeny(target)) throw new TypeError(target.reason)
    const asked = { kind: 'asked', service, caller: who, chain: on, target, ...keys } as const
    return judgeRemembered(asked, { ...facts, revision })
  }
}

const chain = delegated(clerk, [hospital.agentA])
