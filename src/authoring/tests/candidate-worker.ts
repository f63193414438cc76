import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { limitProblems } from '../../base/document/problem.ts'
import {
  type CandidateAnswer,
  type CandidateOrder,
  type Proven,
  type ProvenPiece,
  proveHere,
  type TestCandidate,
} from '../../policy/revision/candidate.ts'
import { runOwnTests } from './own-tests.ts'

// Runs in a thread of its own: whatever the engine makes of a candidate, the one that serves is another.
// The order is what `candidate.ts` has put there, and nobody else starts this thread.
const { source, options, isUrgent } = workerData as CandidateOrder
/** As many as another thread takes in a few milliseconds. */
const atOnce = { policies: 50, services: 200, entities: 1000 }
if (!isUrgent) standBack()
// A start waits for this thread, and each later one runs what those before it have made hot.
const result = proveHere(source, options, { test, isBrief: isUrgent })
if ('parts' in result) await handOver(result)
else if ('reason' in result) post(result)
else post({ kind: 'refused', problems: limitProblems(result) })

/** Requests go first. Linux alone knows a priority of this thread; elsewhere it would be the whole process's. */
function standBack(): void {
  try {
    if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW)
  } catch {
    // A sandbox may forbid it; the candidate is as good as before.
  }
}

function test(...candidate: Parameters<TestCandidate>): ReturnType<TestCandidate> {
  post({ kind: 'testing' })
  return runOwnTests(...candidate)
}

/** Piece by piece, each when it is asked for: a thread that takes a thousand policies at once decides nothing meanwhile. */
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
