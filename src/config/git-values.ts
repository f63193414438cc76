import { type Invalid, invalid } from '../base/model/invalid.ts'

const commit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const host = String.raw`[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?`
const path = String.raw`\/[^\s?#\\'"\p{Cc}]+`
const urls = [
  new RegExp(`^https:\\/\\/${host}${path}$`, 'u'),
  new RegExp(`^ssh:\\/\\/(?:[A-Za-z0-9_][\\w.-]*@)?${host}${path}$`, 'u'),
  new RegExp(`^file:\\/\\/${path}$`, 'u'),
]
const proxy = new RegExp(String.raw`^http:\/\/${host}\/?$`)

/** Parses a remote's URL. It refuses Git's forms that run programs (`ext::`), name options or hide credentials. */
export function parseGitUrl(input: string): string | Invalid {
  if (urls.some((url) => url.test(input))) return input
  const form =
    'such as `https://host/policies.git`, `ssh://git@host/policies.git` or `file:///srv/policies.git`'
  // It may contain a password, so it is not shown.
  return invalid(`expected a Git URL without password, query or options, ${form}`)
}

/** Parses the address of an HTTP proxy. */
export function parseGitProxy(input: string): string | Invalid {
  if (proxy.test(input)) return input
  // It may contain a password, so it is not shown.
  return invalid('expected an HTTP proxy without password, such as `http://proxy.hospital.example:3128`')
}

/** Parses a branch, a tag or a complete commit id, by the rules of git-check-ref-format. */
export function parseGitRef(input: string): string | Invalid {
  const isWellFormed =
    commit.test(input) ||
    (/^[A-Za-z0-9_][A-Za-z0-9_.\-+/]{0,200}$/.test(input) &&
      !/\.\.|\/\/|\/\.|\.lock(?:\/|$)|[./]$/.test(input))
  return isWellFormed
    ? input
    : invalid(
        `expected a branch, a tag or a whole commit id, such as \`main\` or \`refs/tags/v1\`, found \`${input}\``,
      )
}
