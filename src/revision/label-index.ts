/** Items of a cluster by namespace and labels. */
export type LabelIndex<T> = {
  /** Items of a namespace that have every label of a selector; all of the namespace when it has none. */
  readonly select: (namespace: string, selector: Labels) => readonly T[]
}

/** Labels by their keys. */
export type Labels = ReadonlyMap<string, string>

/** What is asked of an item; each is called once for it, when the index is made. */
export type Labelled<T> = {
  readonly namespaceOf: (item: T) => string
  readonly labelsOf: (item: T) => Labels
}

type Entry<T> = { readonly item: T; readonly labels: Labels }

/**
 * Indexes items, so that a selector looks only at those that have the rarest of its labels: a service looks at its own pods, and
 * not at all of the cluster. Equal selectors are looked up once.
 */
export function indexByLabels<T>(items: readonly T[], { namespaceOf, labelsOf }: Labelled<T>): LabelIndex<T> {
  const byNamespace = new Map<string, Entry<T>[]>()
  const byLabel = new Map<string, Entry<T>[]>()
  for (const item of items) {
    const entry = { item, labels: labelsOf(item) }
    const namespace = namespaceOf(item)
    push(byNamespace, namespace, entry)
    for (const label of entry.labels) push(byLabel, keyOf(namespace, label), entry)
  }
  const selected = new Map<string, readonly T[]>()
  return {
    select(namespace, selector) {
      const key = JSON.stringify([namespace, ...[...selector].sort()])
      const known = selected.get(key)
      if (known !== undefined) return known
      const lists = [...selector].map((label) => byLabel.get(keyOf(namespace, label)) ?? [])
      const candidates = lists.length === 0 ? (byNamespace.get(namespace) ?? []) : smallest(lists)
      const found = candidates.filter(({ labels }) => hasAll(labels, selector)).map(({ item }) => item)
      selected.set(key, found)
      return found
    },
  }
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}

function keyOf(namespace: string, [name, value]: readonly [string, string]): string {
  return JSON.stringify([namespace, name, value])
}

function smallest<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists.reduce((least, list) => (list.length < least.length ? list : least))
}

function hasAll(labels: Labels, selector: Labels): boolean {
  for (const [name, value] of selector) if (labels.get(name) !== value) return false
  return true
}
