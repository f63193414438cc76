/** Labels or annotations. */
export type Labels = ReadonlyMap<string, string>

/** What every Kubernetes object has; `body` is the whole of it. */
export type KubeObject = {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly body: unknown
}

/** Takes the parts that every object has out of its body. */
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

/** The value at a path of keys, `undefined` where there is none. */
export function at(node: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string, unknown>>)[key]
        : undefined,
    node,
  )
}

/** The text at a path; numbers and booleans, which YAML makes of unquoted text, as they are written. */
export function textAt(node: unknown, ...path: readonly string[]): string | undefined {
  const value = at(node, ...path)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** The items at a path, none of anything that is no list. */
export function listAt(node: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = at(node, ...path)
  return Array.isArray(value) ? value : []
}

/** The texts of a list at a path. */
export function textsAt(node: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(node, ...path).flatMap((item) => textAt(item) ?? [])
}

/** The keys and texts at a path, `undefined` when nothing stands there. */
export function labelsAt(node: unknown, ...path: readonly string[]): Labels | undefined {
  const value = at(node, ...path)
  if (typeof value !== 'object' || value === null) return undefined
  return new Map(Object.keys(value).flatMap((key) => [[key, textAt(value, key) ?? ''] as const]))
}
