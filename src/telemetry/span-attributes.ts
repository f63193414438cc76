/**
 * The attribute names of spans: OpenTelemetry's semantic conventions 1.45 if they have one, OpenInference's for the main
 * fields in Phoenix and MLflow, else `waywarden.*`. docs/traces.md explains each. INVARIANT: no attribute contains a
 * token or a header's value.
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

/** The version of these names, used by the instrumentation scope. Renaming or removing one makes a new version. */
export const spanAttributesVersion = '1'

/** Attributes of every sending process: its identity, and the project in Phoenix. */
export const resourceAttributes = {
  service: 'service.name',
  instance: 'service.instance.id',
  project: 'openinference.project.name',
} as const
