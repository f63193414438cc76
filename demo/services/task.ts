import type { Mesh, MeshAnswer } from '../mesh.ts'
import type { Lane, ServiceName } from '../world.ts'

/** The one header that an agent forwards. It neither reads nor makes it. */
export const chainHeader = 'actor-chain'

/** The task of an agent, in place of a prompt. */
export type Task = {
  readonly lane: Lane
  readonly calls: readonly Call[]
  /** A chain that the sender handed over although it was its own. */
  readonly handedOver?: string
}

/** One call that an agent makes. */
export type Call = {
  readonly step: string
  readonly to: ServiceName
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** The chain that came with the task (default), none, or the one that somebody handed over. */
  readonly chain?: 'own' | 'none' | 'handed-over'
  /** For another agent: what that one is to do. */
  readonly calls?: readonly Call[]
  /** Gives the own chain away with the task. */
  readonly handsOver?: boolean
}

/** The result of one call, as the agent saw it. */
export type CallResult = {
  readonly step: string
  readonly status: number
  readonly code: string | undefined
  readonly decisionId: string | undefined
  readonly ms: number
}

/** Does what a task says, call by call, and reports every answer, those of other agents included. */
export async function performTask(
  task: Task,
  ownChain: string | undefined,
  mesh: Mesh,
): Promise<CallResult[]> {
  const results: CallResult[] = []
  for (const call of task.calls) {
    const answer = await mesh({
      to: call.to,
      method: call.method,
      path: call.path,
      headers: toHeaders(call, task, ownChain),
      body: call.calls === undefined ? undefined : JSON.stringify(toTask(call, call.calls, task, ownChain)),
    })
    results.push(toResult(call.step, answer), ...nestedResults(answer))
  }
  return results
}

/** The parts of an answer that an agent reports. */
export function toResult(step: string, answer: MeshAnswer): CallResult {
  const isProblem = answer.headers['content-type'] === 'application/problem+json'
  const { code } = (isProblem ? JSON.parse(answer.body) : {}) as { readonly code?: string }
  const { status, ms } = answer
  return { step, status, code, decisionId: answer.headers['waywarden-decision-id'], ms }
}

/** The report of the called agent. */
export function nestedResults(answer: MeshAnswer): readonly CallResult[] {
  if (answer.status !== 200 || !answer.body.startsWith('{"results":')) return []
  return (JSON.parse(answer.body) as { readonly results: readonly CallResult[] }).results
}

function toHeaders(call: Call, task: Task, ownChain: string | undefined): Readonly<Record<string, string>> {
  const chains = { own: ownChain, none: undefined, 'handed-over': task.handedOver }
  const chain = chains[call.chain ?? 'own']
  return { ...call.headers, ...(chain === undefined ? {} : { [chainHeader]: chain }) }
}

function toTask(call: Call, calls: readonly Call[], task: Task, ownChain: string | undefined): Task {
  const isHandedOver = call.handsOver === true && ownChain !== undefined
  return { lane: task.lane, calls, ...(isHandedOver ? { handedOver: ownChain } : {}) }
}
