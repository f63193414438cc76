import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { LargeMap } from '../../base/collections/large-map.ts'
import { formatProblem, limitProblems, type Problem } from '../../base/document/problem.ts'
import { type Fault, fault } from '../../base/model/fault.ts'
import { isProblems, type Problems } from '../../base/model/problems.ts'
import { type CatalogService, toCatalog } from '../catalog/catalog.ts'
import { compileCedar, compileCedarBriefly } from '../cedar/cedar.ts'
import type { Policy } from '../cedar/policies.ts'
import type { PolicyFiles } from '../source/policy-files.ts'
import { assembleForTrial, type LoadedParts, type LoadOptions, loadParts } from './load.ts'
import { rehearse } from './rehearsal.ts'
import type { Revision } from './revision.ts'

/** The worker's order; `isUrgent` if nothing serves meanwhile. */
export type CandidateOrder = {
  readonly source: PolicyFiles
  readonly options: LoadOptions
  readonly isUrgent: boolean
}

/** A part of a repository that can be large; it is passed in pieces. */
export type ProvenPiece = {
  readonly policies?: readonly Policy[]
  readonly services?: readonly CatalogService[]
  readonly entities?: readonly (readonly [string, EntityJson])[]
}

/**
 * The worker's result: first pieces, each after the previous one was received, then the rest without the files, which the
 * receiver has already.
 */
export type CandidateAnswer =
  | { readonly kind: 'testing' }
  | ({ readonly kind: 'piece' } & ProvenPiece)
  | {
      readonly kind: 'proven'
      readonly rest: Omit<LoadedParts, 'files' | 'policies' | 'catalog' | 'entities'>
      readonly tests: number
    }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  | Fault

/** A candidate that may serve, and the number of its own tests that passed. */
export type Proven = { readonly parts: LoadedParts; readonly tests: number }

/** The result of a candidate's own tests. */
export type Tested = { readonly count: number; readonly problems: readonly Problem[] }

/** Runs a candidate's own tests. */
export type TestCandidate = (tests: ReadonlyMap<string, string>, revision: Revision) => Tested

/** The current stage of the thread, and its time limit. */
type Stage = { readonly what: string; readonly ms: number }

/** The pace of proving a candidate, and the time limit of its tests. */
export type Pace = { readonly isUrgent?: boolean; readonly testingMs?: number }

const resourceLimits = { maxOldGenerationSizeMb: 1024 }
const loading: Stage = { what: 'loading the candidate', ms: 120_000 }
const testing: Stage = { what: "the candidate's own tests", ms: 60_000 }

/**
 * Loads, validates, rehearses and tests a candidate in a separate thread that starts at `entry`. So neither its size nor
 * an engine failure affects requests. A thread that dies or hangs proves nothing about the candidate, because the machine
 * may lack memory or time.
 */
export function proveCandidate(
  source: PolicyFiles,
  options: LoadOptions,
  entry: URL,
  { isUrgent = false, testingMs = testing.ms }: Pace = {},
): Promise<Proven | Problems<Problem> | Fault> {
  return new Promise((resolve) => {
    // The serving module must be compiled before the thread compiles its own with other flags.
    compileCedar()
    const order: CandidateOrder = { source, options, isUrgent }
    const worker = new Worker(toRunnable(entry), { workerData: order, resourceLimits, env: {} })
    const finish = (result: Proven | Problems<Problem> | Fault) => {
      clearTimeout(timer)
      void worker.terminate()
      resolve(result)
    }
    const fail = (message: string) => finish(fault(`${stage.what} ${message}`))
    const watch = () => setTimeout(() => fail(`did not end within ${stage.ms / 1000} s`), stage.ms)
    let stage = loading
    let timer = watch()
    const policies: Policy[] = []
    const services: CatalogService[] = []
    const entities = new LargeMap<EntityJson>()
    const found = () => ({ policies, entities, catalog: toCatalog(services) })
    worker.on('message', (answer: CandidateAnswer) => {
      switch (answer.kind) {
        case 'testing':
          clearTimeout(timer)
          stage = { ...testing, ms: testingMs }
          timer = watch()
          break
        case 'piece':
          policies.push(...(answer.policies ?? []))
          services.push(...(answer.services ?? []))
          for (const [key, entity] of answer.entities ?? []) entities.set(key, entity)
          // Lets waiting requests go first.
          setImmediate(() => worker.postMessage('more'))
          break
        case 'proven':
          finish({ parts: { ...answer.rest, ...found(), files: source.files }, tests: answer.tests })
          break
        case 'refused':
          finish({ kind: 'problems', problems: answer.problems })
          break
        case 'fault':
          finish(answer)
          break
      }
    })
    worker.once('error', (cause) => fail(`ended the thread that was to prove it: ${cause.message}`))
    worker.once('exit', (code) => fail(`ended the thread that was to prove it, with ${code}`))
  })
}

/** The tests to run, and whether the thread ends afterwards. */
type Trial = { readonly test?: TestCandidate; readonly isBrief?: boolean }

/** Loads, validates, rehearses and tests a candidate in this thread, which blocks meanwhile. */
export function proveHere(
  source: PolicyFiles,
  options: LoadOptions,
  { test = () => ({ count: 0, problems: [] }), isBrief = false }: Trial = {},
): Proven | Problems<Problem> | Fault {
  if (isBrief) compileCedarBriefly()
  const parts = loadParts(source, options)
  if (isProblems(parts)) return parts
  const revision = assembleForTrial(parts, options)
  const problems = rehearse(revision)
  // An engine that fails on a question may lack memory, so this is a fault and not a refusal.
  if (problems.length > 0) return fault(limitProblems(problems).map(formatProblem).join('; '))
  const tested = test(source.tests, revision)
  return tested.problems.length > 0
    ? { kind: 'problems', problems: tested.problems }
    : { parts, tests: tested.count }
}

/**
 * When running from source, the thread loads TypeScript through tsx like this one, because tsx does not hook into threads
 * by itself.
 */
function toRunnable(entry: URL): URL {
  if (!entry.pathname.endsWith('.ts')) return entry
  // `require` resolves to the CommonJS twin of the module.
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  )
  const script = `import { register } from '${tsx.href}'; register(); await import('${entry.href}')`
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`)
}
