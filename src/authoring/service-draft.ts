import { toSafeJson } from '../base/text/json-line.ts'

/** A suggested route; `count` is the number of requests it would have matched. */
export type RouteDraft = { readonly match: string; readonly action: string; readonly count: number }

/** A value and its origin, for the reviewer of the draft. */
export type Noted = { readonly value: string; readonly note?: string | undefined }

/** An entry of services.yaml. */
export type ServiceDraft = {
  readonly name: Noted
  readonly addresses: readonly string[]
  readonly spiffeId: Noted
  readonly waypoint: Noted
  /** It takes connections without HTTP; then `entry`, `forwards` and routes mean nothing and are not written. */
  readonly isTcp?: boolean
  readonly entry: { readonly value: boolean; readonly note: string }
  readonly forwards: { readonly value: boolean; readonly note: string }
  readonly routes: readonly RouteDraft[]
  /** Comments above the entry. */
  readonly notes: readonly string[]
}

/** Formats services.yaml; `head` and notes become comments. */
export function formatServiceDrafts(
  drafts: readonly ServiceDraft[],
  head: readonly string[] = [],
): readonly string[] {
  const comments = head.map(comment)
  if (drafts.length === 0) return [...comments, 'services: []']
  return [...comments, 'services:', ...drafts.flatMap(formatService)]
}

/** Formats one route of services.yaml as a flow mapping. */
export function formatRouteDraft({ match, action, count }: RouteDraft): string {
  return `      - {match: ${scalar(match)}, action: ${scalar(action)}} # ${count} ${count === 1 ? 'request' : 'requests'}`
}

/** Quotes foreign text on one line, so that it cannot end a comment. */
export function quote(text: string): string {
  return toSafeJson(JSON.stringify(text))
}

function formatService(draft: ServiceDraft): readonly string[] {
  return [
    ...draft.notes.map((note) => `  ${comment(note)}`),
    `  - name: ${noted(draft.name)}`,
    `    addresses: [${draft.addresses.map(scalar).join(', ')}]`,
    `    spiffeId: ${noted(draft.spiffeId)}`,
    `    waypoint: ${noted(draft.waypoint)}`,
    ...(draft.isTcp === true ? connectionUse : formatUse(draft)),
  ]
}

const connectionUse: readonly string[] = [
  `    tcp: true ${comment('connections without HTTP: each caller is judged alone, and only `peer: metadata` or `principal` proves it')}`,
  `    chainless: [] ${comment('the SPIFFE IDs of those that may connect')}`,
]

function formatUse({ entry, forwards, routes }: ServiceDraft): readonly string[] {
  return [
    `    entry: ${entry.value} ${comment(entry.note)}`,
    `    forwards: ${forwards.value} ${comment(forwards.note)}`,
    ...(routes.length === 0 ? [] : ['    routes:', ...routes.map(formatRouteDraft)]),
  ]
}

function noted({ value, note }: Noted): string {
  return note === undefined ? scalar(value) : `${scalar(value)} ${comment(note)}`
}

function comment(note: string): string {
  return `# ${note}`
}

// Text that YAML reads as a string: `10.0.0.1:80` and `GET /tasks`, but neither `no` nor `{id}`.
const plain = /^(?:(?:[A-Za-z][\w.-]*|\d+(?:\.\d+){3}):[\w./-]*\w|[A-Z]+ \/[\w./~-]*|[A-Za-z][\w.-]*)$/
const literals = /^(?:true|false|null|yes|no|on|off|y|n)$/i

function scalar(text: string): string {
  if (plain.test(text) && !literals.test(text)) return text
  return /^[\x20-\x26\x28-\x7e]*$/.test(text) ? `'${text}'` : quote(text)
}
