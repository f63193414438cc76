const maxLength = 600
// Texts that ssh and git print for every error.
const noise =
  /^(?:@.*|IT IS POSSIBLE THAT .*|Please make sure you have the correct access rights|and the repository exists\.)$/
const explanations: readonly { readonly pattern: RegExp; readonly explain: (found: string) => string }[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED[\s\S]*?(SHA256:[\w+/]+|$)/,
    explain: (fingerprint) =>
      `the host proves itself by ${fingerprint}, which is not its key in \`policy.git.knownHosts\`: another host stands between, or its key is new; ask its operator`,
  },
  {
    pattern: /No \S+ host key is known for (\S+)/,
    explain: (host) =>
      `\`policy.git.knownHosts\` has no such key of ${host}; add the key that its operator publishes`,
  },
  {
    pattern: /Permission denied \((publickey[^)]*)\)/,
    explain: (methods) => `the host does not take the key in \`policy.git.sshKey\` (${methods})`,
  },
  {
    // The wording of older and newer versions of curl.
    pattern: /(?:HTTP code (?=407 from proxy)|CONNECT tunnel failed, response )(407)/,
    explain: (code) => `the proxy does not take what \`policy.git.proxyAuthFile\` holds (${code})`,
  },
]

/** Returns git's standard error as one line. For known errors the remedy comes first. */
export function explainComplaint(text: string): string {
  const explained = explanations.flatMap(({ pattern, explain }) => {
    const [found, detail = ''] = pattern.exec(text) ?? []
    return found === undefined ? [] : [explain(detail)]
  })
  const lines = text.split('\n').map((line) => line.trim())
  return [...explained, ...lines.filter((line) => line !== '' && !noise.test(line))]
    .join('; ')
    .slice(0, maxLength)
}
