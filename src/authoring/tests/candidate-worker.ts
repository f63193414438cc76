import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { limitProblems } from '../../base/document/problem.ts'
import { isFault } from '../../base/model/fault.ts'
import { isProblems } from '../../base/model/problems.ts'
import {
  type CandidateAnswer,
  type CandidateOrder,
  type Proven,
  type ProvenPiece,
  proveHere,
  type TestCandidate,
} from '../../policy/revision/candidate.ts'
import { runOwnTests } from './own-tests.ts'

// Runs in its own thread with its own engine, so that a candidate cannot break the serving one. `candidate.ts` created
// the order, and nothing else starts this thread.
const { source, options, isUrgent } = workerData as CandidateOrder
/** As many as the receiving thread handles in a few milliseconds. */
const atOnce = { policies: 50, services: 200, entities: 1000 }
if (!isUrgent) standBack()
// A start waits for this thread. Later threads benefit from code that earlier ones compiled.
const result = proveHere(source, options, { test, isBrief: isUrgent })
if (isFault(result)) post(result)
else if (isProblems(result)) post({ kind: 'refused', problems: limitProblems(result.problems) })
else await handOver(result)

/**
 * Lowers the priority of this thread, because requests go first. Only Linux has priorities for threads; elsewhere it
 * would affect the whole process.
 */
function standBack(): void {
  try {
    if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW)
  } catch {
    // A sandbox may forbid it, which does not affect the candidate.
  }
}

function test(...candidate: Parameters<TestCandidate>): ReturnType<TestCandidate> {
  post({ kind: 'testing' })
  return runOwnTests(...candidate)
}

/**
 * Sends the result piece by piece on request, because a thread that receives a thousand policies at once blocks its
 * requests.
 */
async function handOver({ parts, tests }: Proven): Promise<void> {
  const { policies, catalog, entities, files: _known, ...rest } = parts
  await postPieces(policies, atOnce.policies, (some) => ({ policies: some }))
  await postPieces(catalog.services, atOnce.services, (some) => ({ services: some }))
  await postPieces([...entities], atOnce.entities, (some) => ({ entities: some }))
  post({ kind: 'proven', rest, tests })
}

async function postPieces<T>(
  all: readonly T[],
  count: number,
  toPiece: (some: readonly T[]) => ProvenPiece,
): Promise<void> {
  for (let start = 0; start < all.length; start += count) {
    const isAskedForMore = parentPort && once(parentPort, 'message')
    post({ kind: 'piece', ...toPiece(all.slice(start, start + count)) })
    await isAskedForMore
  }
}

function post(answer: CandidateAnswer): void {
  parentPort?.postMessage(answer)
}
