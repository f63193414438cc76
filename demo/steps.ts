import type { DenyCode, Role } from '../src/base/model/decision.ts'
import type { ServiceName, Workload } from './world.ts'

/** One step of the story, and what must come of it. */
export type Step = {
  readonly step: string
  /** A description for people. */
  readonly story: string
  readonly from: Workload
  readonly to: ServiceName
  readonly method: string
  readonly path: string
  readonly status: number
  readonly code?: DenyCode
  /** Principals that must be among the refused; `alone`: and nobody else. */
  readonly refusal?: { readonly principal: string; readonly role: Role; readonly alone: boolean }
  /** The status of the same call without Waywarden. */
  readonly without: number
}

const task = { method: 'POST', path: '/tasks', status: 200, without: 200 } as const
const coverage = { to: 'insurance', method: 'GET', path: '/coverage/p-7', without: 200 } as const
const record = { to: 'patient-records', method: 'GET', path: '/patients/p-7', without: 200 } as const
const denied = { status: 403, code: 'policy_denied' } as const
const deniedAsD = {
  ...denied,
  refusal: { principal: 'spiffe://hospital.example/ns/billing/sa/agent-d', role: 'caller', alone: false },
} as const

/** The hospital's story, in the order in which it is played. */
export const steps: readonly Step[] = [
  {
    step: 'clerk-asks-billing',
    story: 'a billing clerk asks agent A',
    from: 'gateway',
    to: 'billing-agent',
    ...task,
  },
  {
    step: 'a-asks-d',
    story: 'A hands part of the work to D',
    from: 'agent-a',
    to: 'insurance-agent',
    ...task,
  },
  {
    step: 'd-checks-insurance',
    story: 'D checks whether the patient is covered',
    from: 'agent-d',
    ...coverage,
    status: 200,
  },
  {
    step: 'd-reads-records',
    story: 'D tries to read the record, too',
    from: 'agent-d',
    ...record,
    ...deniedAsD,
    without: 401,
  },
  {
    step: 'd-holds-records-token',
    story: 'D found a genuine token that the records service accepts',
    from: 'agent-d',
    ...record,
    ...deniedAsD,
  },
  {
    step: 'd-without-chain',
    story: 'D leaves the chain out',
    from: 'agent-d',
    ...coverage,
    status: 403,
    code: 'chain_missing',
  },
  {
    step: 'd-replays-a',
    story: 'D presents the chain of A',
    from: 'agent-d',
    ...coverage,
    status: 403,
    code: 'chain_not_yours',
  },
  {
    step: 'd-lies-about-host',
    story: 'D calls the records and says `Host: insurance`',
    from: 'agent-d',
    ...record,
    ...deniedAsD,
  },
  {
    step: 'd-forges-xfcc',
    story: 'D says in a header that it is R',
    from: 'agent-d',
    ...record,
    ...deniedAsD,
  },
  {
    step: 'clinician-reads-record',
    story: 'R reads the record for a clinician',
    from: 'agent-r',
    ...record,
    status: 200,
  },
  {
    step: 'clerk-uses-r',
    story: 'the clerk lets R read it: a strong deputy for a weak user',
    from: 'agent-r',
    ...record,
    ...denied,
    refusal: { principal: 'hospital/clerk', role: 'subject', alone: true },
  },
]

/** Finds a step by name. */
export function findStep(name: string): Step {
  const found = steps.find(({ step }) => step === name)
  if (found === undefined) throw new Error(`the story has no step \`${name}\``)
  return found
}
