import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { PolicyFiles } from './directory-source.ts'
import { assembleRevision, type LoadedParts, type LoadOptions, loadParts } from './load.ts'
import type { Policy } from './policies.ts'
import type { Problem } from './problem.ts'
import { rehearse } from './rehearsal.ts'

/** What the worker is to prove. */
export type CandidateOrder = { readonly source: PolicyFiles; readonly options: LoadOptions }

/** What it found: first the policies, some at a time, then all the rest but the files, which are here already. */
export type CandidateAnswer =
  | { readonly kind: 'policies'; readonly policies: readonly Policy[] }
  | { readonly kind: 'proven'; readonly rest: Omit<LoadedParts, 'files' | 'policies'> }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const workerEntry = new URL(`./candidate-worker.${extension}`, import.meta.url)
const limits = { maxOldGenerationSizeMb: 1024 }
const timeoutMs = 120_000

/**
 * Loads, validates and rehearses a candidate in a thread of its own, so that neither its size nor what it does to the
 * engine touches the requests that are being decided. A thread that dies refuses the candidate.
 */
export function proveCandidate(
  source: PolicyFiles,
  options: LoadOptions,
  entry: URL = workerEntry,
): Promise<LoadedParts | readonly Problem[]> {
  return new Promise((resolve) => {
    const order: CandidateOrder = { source, options }
    const worker = new Worker(toRunnable(entry), { workerData: order, resourceLimits: limits, env: {} })
    const finish = (result: LoadedParts | readonly Problem[]) => {
      clearTimeout(timer)
      void worker.terminate()
      resolve(result)
    }
    const refuse = (message: string) => finish([{ file: '.', message }])
    const timer = setTimeout(() => refuse(`it was not proven within ${timeoutMs / 1000} s`), timeoutMs)
    const policies: Policy[] = []
    worker.on('message', (answer: CandidateAnswer) => {
      if (answer.kind === 'refused') finish(answer.problems)
      else if (answer.kind === 'proven') finish({ ...answer.rest, policies, files: source.files })
      else {
        policies.push(...answer.policies)
        // Requests that came meanwhile go first.
        setImmediate(() => worker.postMessage('more'))
      }
    })
    worker.once('error', (cause) => refuse(`the policy engine did not survive it: ${cause.message}`))
    worker.once('exit', (code) => refuse(`the thread that was to prove it ended with ${code}`))
  })
}

/** Loads, validates and rehearses a candidate in this thread, which can decide nothing meanwhile. */
export function proveHere(source: PolicyFiles, options: LoadOptions): LoadedParts | readonly Problem[] {
  const parts = loadParts(source, options)
  if (!('policies' in parts)) return parts
  const problems = rehearse(assembleRevision(parts, options))
  return problems.length > 0 ? problems : parts
}

/** From source, the thread reads TypeScript through tsx as this one does; tsx does not follow into threads by itself. */
function toRunnable(entry: URL): URL {
  if (!entry.pathname.endsWith('.ts')) return entry
  // What `require` finds is the CommonJS twin of the module that can be imported.
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  )
  const script = `import { register } from '${tsx.href}'; register(); await import('${entry.href}')`
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`)
}
