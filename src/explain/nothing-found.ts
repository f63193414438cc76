import type { DecisionRecord } from '../audit/format/record.ts'
import { formatCount } from '../base/text/count.ts'
import { closestTo } from '../base/text/did-you-mean.ts'
import { show } from '../base/text/show.ts'
import { namesOf, type RecordFilter, type RecordNames } from './record-filter.ts'

type Named = keyof RecordNames
const named: readonly Named[] = ['service', 'user', 'agent', 'policy']

/** Collects the names in records, to explain why a search found nothing. */
export class NothingFound {
  readonly #filter: RecordFilter
  readonly #seen: Readonly<Record<Named, Set<string>>> = {
    service: new Set(),
    user: new Set(),
    agent: new Set(),
    policy: new Set(),
  }
  #records = 0

  constructor(filter: RecordFilter) {
    this.#filter = filter
  }

  /** Adds a record that did not match, and returns the number of records so far. */
  add(record: DecisionRecord): number {
    const names = namesOf(record)
    for (const what of named) for (const name of names[what]) this.#seen[what].add(name)
    return ++this.#records
  }

  /** Returns the number of records, and hints for names that no record has. */
  explain(isAll: boolean): string {
    if (this.#records === 0) return 'none found: there is no record of a decision'
    const hints = named.flatMap((what) => this.#hintFor(what))
    const looked = `none found among ${isAll ? '' : 'the first '}${formatCount(this.#records, 'record')}`
    return [looked, ...hints].join('; ')
  }

  #hintFor(what: Named): readonly string[] {
    const given = this.#filter[what]
    const seen = this.#seen[what]
    if (given === undefined || seen.has(given)) return []
    const closest = closestTo(given, seen)
    const hint = closest === undefined ? '' : `; did you mean ${show(closest)}?`
    return [`none names the ${what} ${show(given)}${hint}`]
  }
}
