/**
 * The wings of src/ and what each may import of the others (docs/architecture.md draws them). Within a wing its folders may import
 * each other; `apart` says which may not.
 */
export const wings: Readonly<Record<string, readonly string[]>> = {
  main: ['cli'],
  cli: ['server', 'doctor', 'explain', 'authoring', 'decision', 'policy', 'audit', 'config', 'base'],
  server: ['explain', 'authoring', 'decision', 'policy', 'envoy', 'audit', 'telemetry', 'config', 'base'],
  doctor: ['authoring', 'decision', 'policy', 'base'],
  explain: ['authoring', 'decision', 'policy', 'audit', 'base'],
  authoring: ['decision', 'policy', 'audit', 'base'],
  decision: ['policy', 'base'],
  policy: ['base'],
  envoy: ['base'],
  audit: ['base'],
  telemetry: ['base'],
  config: ['base'],
  base: [],
}

/** Folders of one wing that never import each other. The verifier of the log shares only the format with its writer. */
export const apart: readonly (readonly [string, string])[] = [
  ['audit/write', 'audit/verify'],
  ['audit/write', 'audit/read'],
]

/** Every third-party package with side doors into the house, and the one wing that may open it. */
export const packageWings: Readonly<Record<string, string>> = {
  '@grpc': 'envoy',
  'grpc-health-check': 'envoy',
  protobufjs: 'envoy',
  jose: 'server',
  '@cedar-policy': 'policy',
  pino: 'telemetry',
  'prom-client': 'telemetry',
  '@opentelemetry': 'telemetry',
  'lru-cache': 'base',
  commander: 'cli',
}

/** Folders that decide or only name things, and so touch neither files nor sockets nor clocks. */
export const pureFolders: readonly string[] = [
  'decision/check',
  'base/model',
  'base/text',
  'base/collections',
]

/** The wings that a wing may not import. */
export function forbiddenWings(wing: string): readonly string[] {
  const allowed = wings[wing] ?? []
  return Object.keys(wings).filter((other) => other !== wing && !allowed.includes(other))
}

/** The wing of a folder, such as `audit` for `audit/write`. */
export function wingOf(folder: string): string {
  return folder.split('/')[0] ?? folder
}
