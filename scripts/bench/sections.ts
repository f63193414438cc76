import { cores } from './cores.ts'
import { audit, policies, tracing } from './costs.ts'
import { cold, rates, warm } from './direct.ts'
import { footprint } from './footprint.ts'
import type { Section } from './section.ts'
import { throughEnvoy } from './through-envoy.ts'

export type SectionName =
  | 'warm'
  | 'cold'
  | 'cores'
  | 'policies'
  | 'audit'
  | 'tracing'
  | 'rates'
  | 'envoy'
  | 'footprint'

/** The parts of the benchmark, in their order. */
export const sections: Readonly<Record<SectionName, Section>> = {
  warm,
  cold,
  cores,
  policies,
  audit,
  tracing,
  rates,
  envoy: throughEnvoy,
  footprint,
}
