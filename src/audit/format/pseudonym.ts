import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describeCause } from '../../base/model/fault.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import type { DecisionRecord } from './record.ts'

/** Returns a user's pseudonym. The same user always gets the same one. */
export type Pseudonymize = (issuerName: string, id: string) => string

const minLength = 32
const pseudonymLength = 22

/**
 * Reads the secret of the pseudonyms. With the secret one can find a known user's records. A pseudonym cannot be reversed
 * into a name.
 */
export function readPseudonyms(file: string): Pseudonymize | Invalid {
  try {
    const secret = readFileSync(file, 'utf8').trim()
    return secret.length < minLength
      ? invalid(`\`${file}\`: expected a secret of at least ${minLength} characters, found ${secret.length}`)
      : createPseudonyms(secret)
  } catch (cause) {
    return invalid(`\`${file}\` cannot be read: ${describeCause(cause)}`)
  }
}

/** Creates pseudonyms by HMAC-SHA-256. */
export function createPseudonyms(secret: string): Pseudonymize {
  // Length-prefixed, so that two users never give the same text.
  return (issuerName, id) => {
    const digest = createHmac('sha256', secret)
      .update(`${issuerName.length}:${issuerName}/${id}`)
      .digest('base64url')
    return `~${digest.slice(0, pseudonymLength)}`
  }
}

/**
 * Replaces the user's id by its pseudonym everywhere in the record. Groups stay, because they explain the policies'
 * answers.
 */
export function withPseudonym(record: DecisionRecord, pseudonymize: Pseudonymize): DecisionRecord {
  const { chain, results, deniedBy, reason } = record
  if (chain === undefined || chain.kind === 'none') return record
  const { issuerName, id } = chain.subject
  const pseudonym = pseudonymize(issuerName, id)
  const [known, hidden] = [`${issuerName}/${id}`, `${issuerName}/${pseudonym}`]
  const hideIn = (text: string): string => text.replaceAll(known, hidden)
  const hide = <T extends DecisionRecord['deniedBy'][number]['principal']>(uid: T): T =>
    uid.type === 'User' && uid.id === known ? { ...uid, id: hidden } : uid
  return {
    ...record,
    reason: reason && hideIn(reason),
    chain: { ...chain, subject: { ...chain.subject, id: pseudonym } },
    results: results.map((result) => ({
      ...result,
      principal: hide(result.principal),
      errors: result.errors.map(({ policy, message }) => ({ policy, message: hideIn(message) })),
    })),
    deniedBy: deniedBy.map((each) => ({ ...each, principal: hide(each.principal) })),
    pseudonymized: true,
  }
}
