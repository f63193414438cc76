import { groupBy, groupByAll } from '../base/collections/group-by.ts'

/** Items of a cluster by namespace and labels. */
export type LabelIndex<T> = {
  /** Returns the items of a namespace that have every label of a selector; all items for an empty one. */
  readonly select: (namespace: string, selector: Labels) => readonly T[]
}

/** Labels by key. */
export type Labels = ReadonlyMap<string, string>

/** Accessors for an item; each is called once, when the index is built. */
export type Labelled<T> = {
  readonly namespaceOf: (item: T) => string
  readonly labelsOf: (item: T) => Labels
}

type Entry<T> = { readonly item: T; readonly namespace: string; readonly labels: Labels }

/**
 * Indexes items so that a selector visits only the items with the rarest of its labels. So a service visits its own pods
 * and not the whole cluster. Results for equal selectors are cached.
 */
export function indexByLabels<T>(items: readonly T[], { namespaceOf, labelsOf }: Labelled<T>): LabelIndex<T> {
  const entries = items.map(
    (item): Entry<T> => ({ item, namespace: namespaceOf(item), labels: labelsOf(item) }),
  )
  const byNamespace = groupBy(entries, ({ namespace }) => namespace)
  const byLabel = groupByAll(entries, ({ namespace, labels }) =>
    [...labels].map((label) => keyOf(namespace, label)),
  )
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
