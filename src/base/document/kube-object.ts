/** Labels or annotations. */
export type Labels = ReadonlyMap<string, string>

/** The common fields of Kubernetes objects; `body` is the whole object. */
export type KubeObject = {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly body: unknown
}

/** Reads the common fields from an object's body. */
export function toKubeObject(body: unknown): KubeObject {
  return {
    kind: textAt(body, 'kind') ?? '',
    namespace: textAt(body, 'metadata', 'namespace') ?? '',
    name: textAt(body, 'metadata', 'name') ?? '',
    labels: labelsAt(body, 'metadata', 'labels') ?? new Map(),
    annotations: labelsAt(body, 'metadata', 'annotations') ?? new Map(),
    body,
  }
}

/** Returns the value at a path of keys; `undefined` if there is none. */
export function at(node: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string, unknown>>)[key]
        : undefined,
    node,
  )
}

/** Returns the text at a path. Numbers and booleans, which YAML makes of unquoted text, are formatted. */
export function textAt(node: unknown, ...path: readonly string[]): string | undefined {
  const value = at(node, ...path)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** Returns the items at a path; empty if the value is not a list. */
export function listAt(node: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = at(node, ...path)
  return Array.isArray(value) ? value : []
}

/** Returns the texts of a list at a path. */
export function textsAt(node: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(node, ...path).flatMap((item) => textAt(item) ?? [])
}

/** Returns the keys and texts at a path; `undefined` if it is absent. */
export function labelsAt(node: unknown, ...path: readonly string[]): Labels | undefined {
  const value = at(node, ...path)
  if (typeof value !== 'object' || value === null) return undefined
  return new Map(Object.keys(value).flatMap((key) => [[key, textAt(value, key) ?? ''] as const]))
}
