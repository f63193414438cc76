import { isNeed, type Need } from '../../src/base/model/need.ts'

/** What a step of a check answers when nothing that it lacks can be fetched. */
export function settled<T extends object>(value: T | Need): T | Need['unmet'] {
  return isNeed(value) ? value.unmet : value
}
