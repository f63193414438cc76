import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  AuthorizationAnswer,
  CedarValueJson,
  CheckParseAnswer,
  EntityJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs'
import { digestKey, remember } from '../../base/cache/remember.ts'
import { describeCause } from '../../base/model/fault.ts'
import { type Cedar, createCedar } from './cedar.ts'
import type { Slice } from './slices.ts'

/** One authorization question in Cedar's form; only `cedar-call.ts` builds it. */
export type CedarCall = {
  readonly principal: TypeAndId
  readonly action: TypeAndId
  readonly resource: TypeAndId
  readonly context: Readonly<Record<string, CedarValueJson>>
  readonly entities: readonly EntityJson[]
}

/** Cedar's answer; `unavailable` if the engine itself failed. */
export type Evaluation =
  | {
      readonly kind: 'answered'
      readonly isAllowed: boolean
      readonly determiningPolicies: readonly string[]
      readonly errors: readonly { readonly policyId: string; readonly message: string }[]
    }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string }

/** Evaluates calls, each against the slice of relevant policies. */
export type Engine = {
  readonly version: string
  readonly evaluate: (call: CedarCall, slice: Slice) => Evaluation
  /** True if an instance is available for the next call. */
  readonly isReady: () => boolean
}

/** A cedar-wasm instance and the slices that it has prepared. */
export type Instance = { readonly cedar: Cedar; readonly prepared: Set<string> }

/** A question in Cedar's JSON, and its slice. */
type Question = { readonly text: string; readonly slice: Slice }

const defaultMaxRemembered = 10_000

/**
 * Creates two instances unless they are given: one serves, one is the standby. Slices are prepared at their first
 * question, because their policies are already validated. So a revision of any size takes over at once. `schema` is
 * needed only to read implicit values.
 */
export function createEngine(
  schema: string | undefined,
  maxRemembered: number = defaultMaxRemembered,
  instances: readonly [Instance, Instance?] = [createInstance(schema), createInstance(schema)],
): Engine {
  let [serving, spare]: readonly (Instance | undefined)[] = instances
  const replace = () => {
    serving = spare
    spare = undefined
    setImmediate(() => {
      spare = createInstance(schema)
      serving ??= spare
    })
  }
  const hasSchema = schema !== undefined
  const evaluate = ({ text, slice }: Question): Evaluation => {
    if (serving === undefined) return { kind: 'unavailable', message: 'no policy engine is ready' }
    try {
      prepareSlice(serving, slice)
      return readAnswer(serving.cedar.authorize(text))
    } catch (cause) {
      // The instance has thrown and leaked its stack, so it must not answer again.
      replace()
      return { kind: 'unavailable', message: describeCause(cause) }
    }
  }
  const remembered = remember(evaluate, {
    maxEntries: maxRemembered,
    // The slice and the whole call. Cedar reads nothing else, not even a clock.
    keyOf: ({ text }) => digestKey(text),
    isWorth: ({ kind }) => kind !== 'unavailable',
  })
  return {
    version: `cedar-wasm ${instances[0].cedar.getCedarVersion()}`,
    isReady: () => serving !== undefined,
    evaluate: (call, slice) => remembered({ text: writeCall(call, slice.key, hasSchema), slice }),
  }
}

/** Equal answers share one object, because most of a hundred thousand cached answers are equal. */
const readAnswer = remember(parseAnswer, { maxEntries: 10_000, keyOf: (text) => text, isWorth: () => true })

const schemaName = 'schema'
const warmUpSlice = 'warm-up'
const warmUpCalls = 5
const warmUp: CedarCall = {
  principal: { type: 'User', id: 'nobody' },
  action: { type: 'Action', id: 'GET' },
  resource: { type: 'Service', id: 'nothing' },
  context: {},
  entities: [{ uid: { type: 'User', id: 'nobody' }, attrs: {}, parents: [] }],
}

/** Creates a warm instance without policies. */
export function createInstance(schema: string | undefined): Instance {
  const cedar = createCedar()
  prepareWarmUp(cedar, schema)
  return warm(cedar, schema)
}

/** Does what `createInstance` does, with one turn of the event loop for each step. */
export async function createInstanceInTurns(schema: string | undefined): Promise<Instance> {
  await nextTurn()
  const cedar = createCedar()
  await nextTurn()
  prepareWarmUp(cedar, schema)
  await nextTurn()
  return warm(cedar, schema)
}

function prepareWarmUp(cedar: Cedar, schema: string | undefined): void {
  if (schema !== undefined) mustSucceed(cedar.preparseSchema(schemaName, schema))
  mustSucceed(
    cedar.preparsePolicySet(warmUpSlice, { staticPolicies: 'permit (principal, action, resource);' }),
  )
}

/** The first calls compile code; no request should wait for that. */
function warm(cedar: Cedar, schema: string | undefined): Instance {
  const text = writeCall(warmUp, warmUpSlice, schema !== undefined)
  for (let call = 0; call < warmUpCalls; call++) parseAnswer(cedar.authorize(text))
  return { cedar, prepared: new Set() }
}

function prepareSlice({ cedar, prepared }: Instance, { key, policies }: Slice): void {
  if (prepared.has(key)) return
  const staticPolicies = Object.fromEntries(policies.map((policy) => [policy.id, policy.text]))
  mustSucceed(cedar.preparsePolicySet(key, { staticPolicies }))
  prepared.add(key)
}

function mustSucceed(answer: CheckParseAnswer): void {
  if (answer.type === 'failure')
    throw new PolicyEngineError(answer.errors.map((error) => error.message).join('; '))
}

function writeCall(call: CedarCall, setId: string, hasSchema: boolean): string {
  return JSON.stringify({
    principal: call.principal,
    action: call.action,
    resource: call.resource,
    context: call.context,
    entities: call.entities,
    preparsedPolicySetId: setId,
    ...(hasSchema ? { preparsedSchemaName: schemaName } : {}),
    // A principal type that an action does not list must give "no permit", not an invalid request.
    validateRequest: false,
  })
}

function parseAnswer(text: string): Evaluation {
  // The package's declaration describes Cedar's JSON.
  const answer = JSON.parse(text) as AuthorizationAnswer
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

/** The policy engine accepted something at load but could not prepare it. */
class PolicyEngineError extends Error {
  override readonly name = 'PolicyEngineError'
  readonly code = 'policy_unavailable'
}
