import * as v from 'valibot'
import type { SchemaNode } from '../base/document/schema.ts'
import {
  about,
  choice,
  duration,
  integer,
  matching,
  parsed,
  size,
  someShare,
  type Value,
} from '../base/document/values.ts'
import { parseGitProxy, parseGitRef, parseGitUrl } from './git-values.ts'
import type { PolicyRepository } from './settings.ts'
import { filePath } from './values.ts'

const git = v.strictObject({
  url: about(
    parsed(parseGitUrl, 'https://git.hospital.example/policies.git'),
    'the repository: https, ssh or file',
  ),
  ref: about(
    v.optional(parsed(parseGitRef, 'main'), 'main'),
    'branch, tag (also as refs/…) or whole commit id',
  ),
  path: about(
    v.optional(folder(), ''),
    'the folder with services.yaml, such as `policies`; the root when left out',
  ),
  interval: about(v.optional(duration('1s', '24h'), '1m'), 'time between two polls, varied by a tenth'),
  timeout: about(v.optional(duration('1s', '1h'), '2m'), 'time limit of a fetch'),
  directory: about(
    filePath(),
    'directory of the local copy: the last good revision, for a start without network',
  ),
  maxSize: about(v.optional(size('1MiB', '64GiB'), '256MiB'), 'maximum size of the local copy'),
  rewrites: about(
    v.optional(choice('refuse', 'follow'), 'refuse'),
    'what to do after a force-push, when the ref no longer contains its earlier commit',
  ),
  pinRef: about(
    v.optional(
      matching(/^refs\/[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'a ref such as `refs/waywarden/pin`'),
      'refs/waywarden/pin',
    ),
    'the ref that pins an earlier commit of `ref` while it exists; restrict write access to it',
  ),
  sshKey: about(v.optional(filePath()), 'file of the private key for an ssh remote'),
  knownHosts: about(v.optional(filePath()), 'file of the accepted ssh host keys; required for ssh'),
  tokenFile: about(v.optional(filePath()), 'file of the token for an https remote; read for each poll'),
  tokenUser: about(
    v.optional(matching(/^[\w.-]{1,64}$/, 'a user name'), 'x-access-token'),
    'user name that goes with the token',
  ),
  ca: about(v.optional(filePath()), 'PEM file of the trusted CAs for an https remote'),
  proxy: about(
    v.optional(parsed(parseGitProxy, 'http://proxy.hospital.example:3128')),
    'the HTTP proxy to an https remote; by default none, and the environment is ignored',
  ),
  proxyAuthFile: about(v.optional(filePath()), 'file with `user:password` for the proxy; read for each poll'),
  allowedSigners: about(
    v.optional(filePath()),
    'file of allowed signers in ssh-keygen format; if set, commits without their SSH signature are refused',
  ),
})

const shadow = v.strictObject({
  ref: about(
    v.optional(parsed(parseGitRef, 'stricter-records')),
    'with `policy.git`: branch, tag or whole commit id of the same repository',
  ),
  directory: about(v.optional(filePath()), 'with `policy.directory`: another policy directory'),
  sample: about(v.optional(someShare, 1), 'share of checks to judge again, above 0 and at most 1'),
  perSecond: about(
    v.optional(integer(1, 10_000), 50),
    'maximum number of checks to judge again in a second; others are counted as dropped',
  ),
})

const policy = v.strictObject({
  directory: about(
    v.optional(filePath(() => 'name a Git repository by `policy.git: {url: …}`')),
    'the policy repository as a directory',
  ),
  git: about(v.optional(git), 'the policy repository in Git'),
  tests: about(
    v.optional(choice('required', 'ignored'), 'required'),
    'whether a revision must pass its own `tests/` before it serves',
  ),
  maxStaleness: about(
    v.optional(duration('1s', '30d')),
    'refuse everything if the source has not confirmed the serving revision for this long; by default never',
  ),
  shadow: about(
    v.optional(shadow),
    'a second revision that judges a share of the checks again and decides nothing; `waywarden report` lists the differences',
  ),
})

/** `policy` of waywarden.yaml. */
export const policySchema: v.GenericSchema<unknown, PolicyRepository> & SchemaNode = policy

function folder(): Value<string> {
  return matching(
    /^(?:(?!\.{1,2}(?:\/|$))[\w.-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.-]+)*)?$/,
    'a folder of the repository such as `policies/hospital`',
  )
}
