/**
 * The names under which spans tell what a check found: OpenTelemetry's semantic conventions 1.45 where they have one,
 * OpenInference's for what Phoenix and MLflow show first, `waywarden.*` else. docs/traces.md explains each.
 * INVARIANT: no attribute holds a token or a header's value.
 */
export const spanAttributes = {
  rpcSystem: 'rpc.system.name',
  rpcMethod: 'rpc.method',
  rpcStatus: 'rpc.response.status_code',
  errorType: 'error.type',
  httpMethod: 'http.request.method',
  sessionId: 'session.id',
  user: 'enduser.id',
  pseudonym: 'enduser.pseudo.id',
  agent: 'gen_ai.agent.id',
  kind: 'openinference.span.kind',
  input: 'input.value',
  inputType: 'input.mime_type',
  output: 'output.value',
  outputType: 'output.mime_type',
  decisionId: 'waywarden.decision.id',
  outcome: 'waywarden.outcome',
  code: 'waywarden.code',
  service: 'waywarden.service',
  action: 'waywarden.action',
  resource: 'waywarden.resource',
  txn: 'waywarden.txn',
  jtiIn: 'waywarden.jti.in',
  jtiOut: 'waywarden.jti.out',
  chain: 'waywarden.chain',
  deniedBy: 'waywarden.denied_by',
  revision: 'waywarden.policy.revision',
  principal: 'waywarden.principal',
  role: 'waywarden.role',
  permission: 'waywarden.principal.outcome',
  policies: 'waywarden.policies',
  remembered: 'waywarden.remembered',
} as const

/** Version of the names above, as the instrumentation scope tells it; a name that changes or goes makes a new one. */
export const spanAttributesVersion = '1'

/** Attributes of every process that sends: who it is, and the project under which Phoenix files its traces. */
export const resourceAttributes = {
  service: 'service.name',
  instance: 'service.instance.id',
  project: 'openinference.project.name',
} as const
