import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import { remember } from '../cache/remember.ts'
import { type Cedar, createCedar } from './cedar.ts'

/** One authorization question as Cedar takes it; built by `cedar-call.ts` alone. */
export type CedarCall = {
  readonly principal: TypeAndId
  readonly action: TypeAndId
  readonly resource: TypeAndId
  readonly context: Readonly<Record<string, CedarValueJson>>
  readonly entities: readonly EntityJson[]
}

/** What Cedar answered: `unavailable` when the engine itself failed. */
export type Evaluation =
  | {
      readonly kind: 'answered'
      readonly isAllowed: boolean
      readonly determiningPolicies: readonly string[]
      readonly errors: readonly { readonly policyId: string; readonly message: string }[]
    }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string }

/** Evaluates calls against one prepared set of policies. */
export type Engine = {
  readonly version: string
  readonly evaluate: (call: CedarCall) => Evaluation
  /** Whether an instance is there to answer the next call. */
  readonly isReady: () => boolean
}

const defaultMaxRemembered = 10_000
const setId = 'policies'
const schemaName = 'schema'

/** Prepares two instances with a schema and policies by id, both known to be valid: one serves, one stands by. */
export function createEngine(
  schema: string,
  policies: Readonly<Record<string, string>>,
  maxRemembered: number = defaultMaxRemembered,
): Engine {
  const prepare = (): Cedar => prepareCedar(schema, policies)
  let serving: Cedar | undefined = prepare()
  let spare: Cedar | undefined = prepare()
  const replace = () => {
    serving = spare
    spare = undefined
    setImmediate(() => {
      spare = prepare()
      serving ??= spare
    })
  }
  const evaluate = (call: CedarCall): Evaluation => {
    if (serving === undefined) return { kind: 'unavailable', message: 'no policy engine is ready' }
    try {
      return evaluateWith(serving, call)
    } catch (cause) {
      // Whatever threw has left its stack behind; this instance answers nobody any more.
      replace()
      return { kind: 'unavailable', message: cause instanceof Error ? cause.message : String(cause) }
    }
  }
  return {
    version: `cedar-wasm ${serving.getCedarVersion()}`,
    isReady: () => serving !== undefined,
    // The key is the whole call: Cedar reads nothing else, not even a clock.
    evaluate: remember(evaluate, {
      maxEntries: maxRemembered,
      keyOf: JSON.stringify,
      isWorth: ({ kind }) => kind !== 'unavailable',
    }),
  }
}

const warmUpCalls = 5
const warmUp: CedarCall = {
  principal: { type: 'User', id: 'nobody' },
  action: { type: 'Action', id: 'GET' },
  resource: { type: 'Service', id: 'nothing' },
  context: {},
  entities: [{ uid: { type: 'User', id: 'nobody' }, attrs: {}, parents: [] }],
}

function prepareCedar(schema: string, policies: Readonly<Record<string, string>>): Cedar {
  const cedar = createCedar()
  for (const answer of [
    cedar.preparseSchema(schemaName, schema),
    cedar.preparsePolicySet(setId, { staticPolicies: policies }),
  ]) {
    if (answer.type === 'failure')
      throw new PolicyEngineError(answer.errors.map((error) => error.message).join('; '))
  }
  // The first calls compile; no request is to wait for that.
  for (let call = 0; call < warmUpCalls; call++) evaluateWith(cedar, warmUp)
  return cedar
}

function evaluateWith(cedar: Cedar, call: CedarCall): Evaluation {
  const answer = cedar.statefulIsAuthorized({
    principal: call.principal,
    action: call.action,
    resource: call.resource,
    context: call.context,
    entities: [...call.entities],
    preparsedPolicySetId: setId,
    preparsedSchemaName: schemaName,
    // Principal types that an action does not list must come out as "no permit", not as a broken request.
    validateRequest: false,
  })
  if (answer.type === 'failure') {
    return { kind: 'refused', message: answer.errors.map((error) => error.message).join('; ') }
  }
  const { decision, diagnostics } = answer.response
  return {
    kind: 'answered',
    isAllowed: decision === 'allow',
    determiningPolicies: diagnostics.reason,
    errors: diagnostics.errors.map(({ policyId, error }) => ({ policyId, message: error.message })),
  }
}

/** The policy engine took something at load that it then would not prepare. */
class PolicyEngineError extends Error {
  override readonly name = 'PolicyEngineError'
  readonly code = 'policy_unavailable'
}
