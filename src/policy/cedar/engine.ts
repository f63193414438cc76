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

/** Evaluates calls, each against the slice of policies that can say anything about it. */
export type Engine = {
  readonly version: string
  readonly evaluate: (call: CedarCall, slice: Slice) => Evaluation
  /** Whether an instance is there to answer the next call. */
  readonly isReady: () => boolean
}

/** A cedar-wasm instance and the slices that it has been given. */
export type Instance = { readonly cedar: Cedar; readonly prepared: Set<string> }

/** What Cedar is asked, as it reads it, and the slice that this names. */
type Question = { readonly text: string; readonly slice: Slice }

const defaultMaxRemembered = 10_000

/**
 * Makes two instances, unless they are given: one serves, one stands by. Slices, whose policies are known to be valid, are
 * prepared when they are first asked, so that a revision of any size takes over at once. `schema` is needed only to read
 * implicit values.
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
      // Whatever threw has left its stack behind; this instance answers nobody any more.
      replace()
      return { kind: 'unavailable', message: describeCause(cause) }
    }
  }
  const remembered = remember(evaluate, {
    maxEntries: maxRemembered,
    // The name of the slice and the whole call: Cedar reads nothing else, not even a clock.
    keyOf: ({ text }) => digestKey(text),
    isWorth: ({ kind }) => kind !== 'unavailable',
  })
  return {
    version: `cedar-wasm ${instances[0].cedar.getCedarVersion()}`,
    isReady: () => serving !== undefined,
    evaluate: (call, slice) => remembered({ text: writeCall(call, slice.key, hasSchema), slice }),
  }
}

/** One object for all equal answers: of a hundred thousand that are remembered, most say the same. */
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

/** Makes an instance that has been warmed up and knows no policies yet. */
export function createInstance(schema: string | undefined): Instance {
  const cedar = createCedar()
  prepareWarmUp(cedar, schema)
  return warm(cedar, schema)
}

/** As `createInstance`, a turn of the event loop for each step. */
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

/** The first calls compile; no request is to wait for that. */
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
    // Principal types that an action does not list must come out as "no permit", not as a broken request.
    validateRequest: false,
  })
}

function parseAnswer(text: string): Evaluation {
  // What Cedar writes, its own declaration describes.
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

/** The policy engine took something at load that it then would not prepare. */
class PolicyEngineError extends Error {
  override readonly name = 'PolicyEngineError'
  readonly code = 'policy_unavailable'
}
