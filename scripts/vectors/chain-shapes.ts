import { act, chainClaims, uris } from '../../test/support/hospital.ts'
import { raw, signed } from './signed-chain.ts'
import type { Vector } from './vector.ts'

const tctx = chainClaims.tctx
const json = JSON.stringify(chainClaims)

/** Tokens that a trusted key signed, though they are none: claims missing, strange or ambiguous. */
export function chainShapeVectors(): readonly Vector[] {
  return [...strange(), ...ambiguous()]
}

function strange(): readonly Vector[] {
  const cases: readonly (readonly [name: string, why: string, claims: object])[] = [
    ['no-version', '`ver` names the set of claims', { ver: undefined }],
    ['next-version', 'version 2 may restrict what version 1 does not know', { ver: 2 }],
    ['unknown-claim', 'a claim that is not understood could be a restriction', { cnf: { jkt: 'x' } }],
    ['subject-is-an-agent', 'only users are subjects', { sub_profile: 'ai_agent' }],
    ['no-subject', 'a chain is on behalf of somebody', { sub: undefined }],
    ['empty-subject', 'a chain is on behalf of somebody', { sub: '' }],
    ['no-txn', 'a chain has a name', { txn: undefined }],
    ['groups-as-text', 'a text is not a list of groups', { tctx: { ...tctx, groups: 'billing' } }],
    ['scope-as-list', '`scope` is a text (RFC 8693 §4.2)', { scope: ['insurance:read'] }],
    ['two-audiences', 'exactly one may hold a chain', { aud: [uris.agentD, uris.agentR] }],
    ['no-audience', 'a chain without holder would be a bearer token', { aud: undefined }],
    ['truncated-with-parent', 'who has a parent has actors: they were cut off', { act: undefined }],
    ['actor-without-parent', 'who has actors has a parent', { par_hash: undefined }],
    [
      'actor-of-another-namespace',
      '`act.iss` must own `act.sub`',
      { act: { ...act(uris.agentA), iss: 'spiffe://evil.example' } },
    ],
    ['unknown-actor-claim', 'it could be a restriction', { act: { ...act(uris.agentA), cnf: {} } }],
    ['unknown-context-claim', 'it could be a restriction', { tctx: { ...tctx, purpose: 'refund' } }],
    ['recovered-false', 'a `false` would be a second way to say nothing', { recovered: false }],
    ['recovered-as-text', 'only `true` says so', { recovered: 'true' }],
    ['recovered-as-number', 'only `true` says so', { recovered: 1 }],
    ['recovered-null', 'only `true` says so', { recovered: null }],
    ['self-zero', 'a 0 would be a second way to say none', { tctx: { ...tctx, self: 0 } }],
    ['self-negative', 'no count is negative', { tctx: { ...tctx, self: -1 } }],
    ['self-as-text', 'a text compares unlike a number', { tctx: { ...tctx, self: '1' } }],
    ['self-as-list', 'a list is no count', { tctx: { ...tctx, self: [1] } }],
    [
      'self-without-actors',
      'an agent that calls itself has acted',
      { act: undefined, par_hash: undefined, tctx: { ...tctx, self: 1 } },
    ],
    [
      'actor-confusable',
      'a Cyrillic letter in the name of A',
      { act: act(uris.agentA.replace('agent-a', 'agent-\u0430')) },
    ],
    [
      'actor-dot-segments',
      '`..` must not be folded into another name',
      { act: act('spiffe://hospital.example/ns/x/../billing/sa/agent-a') },
    ],
    [
      'holder-upper-case',
      'a trust domain is lower case, and is not folded',
      { aud: uris.agentD.replace('hospital', 'Hospital') },
    ],
  ]
  return cases.map(([name, why, changed]) => signed(name, why, changed, 'chain_malformed'))
}

function ambiguous(): readonly Vector[] {
  return [
    ...['1.5', '1e1', '-0', '9007199254740993'].map((self) =>
      raw(
        `self-${self.replace('.', '-point-').replace('-0', 'minus-0')}`,
        'only a plain whole number has one reading',
        json.replace('"tctx":{', `"tctx":{"self":${self},`),
      ),
    ),
    raw(
      'duplicate-claim',
      'one parser takes the first `sub`, another the last',
      json.replace('{', '{"sub":"clinician",'),
    ),
    raw(
      'duplicate-claim-escaped',
      'an escape spells the same name',
      json.replace('{', '{"\\u0073ub":"clinician",'),
    ),
    raw(
      'duplicate-nested-claim',
      'as at the top, so within `act`',
      json.replace('"act":{', `"act":{"sub":"${uris.agentR}",`),
    ),
    raw(
      'proto-claim',
      'assigned to an object it would become its prototype',
      json.replace('{', '{"__proto__":{"sub":"root"},'),
    ),
    raw('constructor-claim', 'it would shadow what objects inherit', json.replace('{', '{"constructor":{},')),
    raw(
      'invalid-utf8',
      'other bytes would become the same U+FFFD',
      Buffer.from(json.replace('clerk', 'clerk\xff'), 'latin1'),
    ),
    raw('byte-order-mark', 'nothing stands before the JSON', `\ufeff${json}`),
    raw(
      'lone-surrogate',
      'it would become U+FFFD, as any other one does',
      json.replace('"clerk"', '"clerk\\ud800"'),
    ),
    raw('claims-are-a-list', 'claims are an object', '[]'),
    raw(
      'deep-nesting',
      'nesting is bounded',
      json.replace('{', `{"x":${'['.repeat(500)}${']'.repeat(500)},`),
    ),
  ]
}
