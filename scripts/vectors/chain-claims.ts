import { act, chainClaims, now, uris } from '../../test/support/hospital.ts'
import { raw, signed } from './signed-chain.ts'
import type { Vector } from './vector.ts'

const tctx = chainClaims.tctx
const json = JSON.stringify(chainClaims)
const clerkAsBilling = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }

/** Tokens that a trusted key signed: what they say must still be right. */
export function chainClaimVectors(): readonly Vector[] {
  return [...honest(), ...times(), ...parties(), ...bounds(), ...revoked()]
}

function honest(): readonly Vector[] {
  return [
    signed('honest-chain', 'D presents the chain that A handed it', {}, 'accepted', {
      wantSubject: clerkAsBilling,
    }),
    signed('expired-within-skew', 'the clocks of two replicas differ by 29 s', { exp: now - 29 }, 'accepted'),
    signed('future-iat-within-skew', 'the other replica is 30 s ahead', { iat: now + 30 }, 'accepted'),
    signed(
      'same-group-name-of-another-issuer',
      "the partner's billing group is not the hospital's: the subject keeps its issuer's name",
      { sub_iss: 'https://idp.partner.example' },
      'accepted',
      { wantSubject: { ...clerkAsBilling, issuerName: 'partner' } },
    ),
    signed('greatest-depth', 'three have acted, and the caller is the fourth', deep(3), 'accepted'),
    signed('self-calls', 'A has called itself once, and then D', { tctx: { ...tctx, self: 1 } }, 'accepted'),
    signed(
      'most-self-calls',
      'as many calls of an agent to itself as actors are allowed',
      { tctx: { ...tctx, self: 4 } },
      'accepted',
    ),
  ]
}

function times(): readonly Vector[] {
  const malformed: readonly (readonly [name: string, why: string, claims: object])[] = [
    ['no-exp', 'a chain without an end would live for ever', { exp: undefined }],
    ['no-iat', 'without `iat` nothing bounds its age', { iat: undefined }],
    ['exp-as-text', 'a text compares unlike a number', { exp: `${now + 240}` }],
    ['exp-negative', 'no time is negative', { exp: -1 }],
    ['exp-before-iat', 'it ends before it begins', { exp: now - 61 }],
    ['exp-beyond-ceiling', 'no hop may outlive the whole chain', { exp: tctx.ceil + 1 }],
    [
      'no-ceiling',
      'without a ceiling a chain could be extended for ever',
      { tctx: { ...tctx, ceil: undefined } },
    ],
    ['ceiling-beyond-lifetime', 'a chain may live an hour', { tctx: { ...tctx, ceil: now + 3600 + 31 } }],
    ['root-after-iat', 'no hop is older than the chain', { tctx: { ...tctx, root_iat: now } }],
  ]
  return [
    ...malformed.map(([name, why, claims]) => signed(name, why, claims, 'chain_malformed')),
    ...(['1e300', '1790000240.5', '9007199254740993'] as const).map((exp) =>
      raw(
        `exp-${exp.replace('.', '-point-')}`,
        'only safe integers have one reading',
        json.replace(`${chainClaims.exp}`, exp),
      ),
    ),
    signed('expired-chain', 'the parent is past its end and the skew', { exp: now - 30 }, 'chain_expired'),
    signed(
      'expired-ceiling',
      'the end of the whole chain has no tolerance',
      { exp: now, tctx: { ...tctx, ceil: now } },
      'chain_expired',
    ),
    signed('future-iat', 'issued after now and the skew', { iat: now + 31 }, 'chain_not_yet_valid'),
  ]
}

function parties(): readonly Vector[] {
  return [
    signed('sibling-replay', "R presents D's chain", {}, 'chain_not_yours', { from: uris.agentR }),
    signed(
      'laundering',
      'A forwards the chain that was made for D, to hide that A calls',
      {},
      'chain_not_yours',
      { from: uris.agentA },
    ),
    signed(
      'splice',
      "R, busy for a clinician, puts the clerk's chain to A under its own call",
      { aud: uris.agentA, act: undefined, par_hash: undefined },
      'chain_not_yours',
      { from: uris.agentR },
    ),
    signed(
      'namesake-replay',
      "an agent of D's name in another namespace presents D's chain",
      {},
      'chain_not_yours',
      { from: uris.agentD.replace('/ns/billing/', '/ns/clinic/') },
    ),
    signed(
      'chain-through-ingress',
      'a client sent a chain, and the gateway passed it on',
      {},
      'chain_not_yours',
      { from: uris.gateway },
    ),
    signed(
      'chain-for-ingress',
      'not even a chain that names the gateway as holder',
      { aud: uris.gateway },
      'chain_not_yours',
      { from: uris.gateway },
    ),
  ]
}

function bounds(): readonly Vector[] {
  return [
    signed('depth-plus-one', 'four have acted, and the caller is the fifth', deep(4), 'chain_too_deep'),
    signed('depth-plus-two', 'refused before its signature is looked at', deep(5), 'chain_too_deep'),
    signed(
      'self-calls-plus-one',
      'one call of an agent to itself too many',
      { tctx: { ...tctx, self: 5 } },
      'chain_too_deep',
    ),
    signed(
      'foreign-issuer',
      'signed by our key, but not in our name',
      { iss: 'https://waywarden.evil.example' },
      'chain_issuer_unknown',
    ),
    signed(
      'foreign-user-issuer',
      'the user of a provider that is not configured',
      { sub_iss: 'https://idp.evil.example' },
      'chain_issuer_unknown',
    ),
    signed(
      'user-issuer-trailing-slash',
      'another URL is another provider',
      { sub_iss: `${chainClaims.sub_iss}/` },
      'chain_issuer_unknown',
    ),
    signed(
      'oversize',
      'too large for a header, and refused before it is decoded',
      { sub: 'x'.repeat(4000) },
      'chain_too_large',
    ),
  ]
}

function revoked(): readonly Vector[] {
  const since = (entry: object) => ({ config: { revocations: { version: 1, entries: [entry] } } }) as const
  return [
    signed('revoked-caller', 'D itself is revoked', {}, 'chain_revoked', since({ actor: uris.agentD })),
    signed('revoked-ancestor', 'A is, who acted before', {}, 'chain_revoked', since({ actor: uris.agentA })),
    signed(
      'revoked-user',
      'the clerk left',
      {},
      'chain_revoked',
      since({ user: 'hospital/clerk', not_before: now }),
    ),
    signed(
      'revoked-transaction',
      'the whole transaction',
      {},
      'chain_revoked',
      since({ txn: chainClaims.txn }),
    ),
    signed('revoked-token', 'this one token', {}, 'chain_revoked', since({ jti: chainClaims.jti })),
    signed(
      'begun-after-revocation',
      'what began later is not meant',
      {},
      'accepted',
      since({ user: 'hospital/clerk', not_before: tctx.root_iat }),
    ),
    signed(
      'revoked-namesake',
      "another provider's clerk is somebody else",
      {},
      'accepted',
      since({ user: 'partner/clerk' }),
    ),
  ]
}

function deep(count: number): { readonly act: object | undefined } {
  return {
    act: act(
      ...Array.from({ length: count }, (_, index) => `spiffe://hospital.example/ns/deep/sa/agent-${index}`),
    ),
  }
}
