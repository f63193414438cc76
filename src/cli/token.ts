import type { Command } from 'commander'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import { parseSpiffeId } from '../base/model/spiffe-id.ts'
import { providerOf, rulesOf } from '../base/providers/provider-rules.ts'
import { quote } from '../base/text/quote.ts'
import type { Config } from '../config/config.ts'
import type { UserIssuerConfig } from '../config/user-issuer.ts'
import { type ClaimContext, namesInTokens } from '../decision/identity/token-claims.ts'
import { accessTokenTypes } from '../decision/identity/token-kind.ts'
import { parseCompactJws, type TokenForm } from '../decision/jws/compact.ts'
import { type Finding, inspectToken, isAccepted } from '../explain/inspect-token.ts'
import { complainAboutConfig, readConfigFile } from './config-file.ts'
import { readInput } from './input.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'
import { verifyOffline } from './token-signature.ts'

type InspectOptions = { readonly config?: string; readonly callee?: string; readonly json?: true }

const maxBytes = 64 * 1024

/** Adds `token inspect`. */
export function addToken(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('token')
    .description("read users' tokens")
    .command('inspect')
    .description('say what each rule finds in a token, and which setting would accept it')
    .argument('<file>', 'a file with the access token, `-` for standard input')
    .option('-c, --config <file>', 'the configuration; without it the rules of the provider alone are asked')
    .option('--callee <spiffe-id>', 'the called service, for `audience: callee`')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden token inspect - -c waywarden.yaml < token.txt',
        '0 it can begin a chain, 1 it cannot, 2 wrong usage, 78 the configuration is wrong',
      ),
    )
    .action(async (file: string, options: InspectOptions) => finish(await inspect(file, options, terminal)))
}

async function inspect(file: string, options: InspectOptions, terminal: Terminal): Promise<ExitCode> {
  const config = options.config === undefined ? unconfigured : await readConfig(options.config, terminal)
  if (config === undefined) return exitCodes.config
  const { users, chain } = config
  const callee = options.callee === undefined ? undefined : parseSpiffeId(options.callee)
  if (isInvalid(callee)) {
    terminal.complain(toLine(`\`--callee\`: ${callee.reason}`))
    return exitCodes.usage
  }
  const input = await readInput(file, terminal)
  const text = isInvalid(input) ? '' : input.text.trim().replace(/^(?:authorization: *)?bearer +/i, '')
  const form = isInvalid(input) ? input : readForm(text)
  if (isInvalid(form)) {
    terminal.complain(toLine(form.reason))
    return exitCodes.negative
  }
  const iss = form.claims.get('iss')
  const configured = users.find(({ issuer }) => issuer === iss)
  const issuer = configured ?? toUnconfigured(String(iss))
  const callees = callee === undefined ? [] : namesInTokens(callee, chain.trustDomainAliases)
  const context = { issuer, callees, nowMs: terminal.nowMs() }
  const signature = configured === undefined ? notVerified : await verifyOffline(text, form, configured)
  const isRight = configured !== undefined && signature.isRight !== false && isAccepted(form, context)
  const findings = inspectToken(form, context)
  const { alg, kid } = form.protectedHeader
  if (options.json)
    terminal.print(
      JSON.stringify(
        { ok: isRight, iss, alg, kid, users: configured?.name, signature, findings },
        undefined,
        2,
      ),
    )
  else
    for (const line of [
      `header: alg ${quote(alg)}, kid ${quote(kid)}`,
      sayIssuer(iss, configured, issuer, users.length),
      `signature: ${signature.text}`,
      ...findings.flatMap(sayFinding),
      isRight ? 'This token can begin a chain.' : 'This token cannot begin a chain.',
    ])
      terminal.print(toLine(line))
  return isRight ? exitCodes.ok : exitCodes.negative
}

const notVerified = { isRight: undefined, text: 'not verified, because no `users` entry has this issuer' }

/** The part of a configuration that says which tokens count. */
type Configured = {
  readonly users: readonly UserIssuerConfig[]
  readonly chain: Pick<Config['chain'], 'trustDomainAliases'>
}

const unconfigured: Configured = { users: [], chain: { trustDomainAliases: [] } }

async function readConfig(file: string, terminal: Terminal): Promise<Configured | undefined> {
  const config = await readConfigFile(file)
  if (!isProblems(config)) return config
  complainAboutConfig(config, terminal)
  return undefined
}

function readForm(text: string): TokenForm | Invalid {
  const parts = text.split('.').length
  if (parts === 5) return invalid('the token is encrypted: it has five parts; only its provider can read it')
  if (parts === 1) return invalid('the token is opaque: it has one part; let the provider issue JWTs')
  const form = parseCompactJws(text, { maxBytes, typ: accessTokenTypes, reading: 'provider' })
  return form.kind === 'jws-fault' ? invalid(form.reason) : form
}

/** An entry of `users` with nothing but what the issuer implies. */
function toUnconfigured(issuer: string): ClaimContext['issuer'] {
  const provider = providerOf(issuer)
  const { userClaim, groups } = rulesOf(provider)
  return {
    name: provider,
    provider,
    issuer,
    audience: [],
    clients: [],
    id: 'sub',
    groups,
    groupsAbsent: 'refuse',
    groupsAllow: [],
    userClaim: userClaim === 'none' || userClaim === 'required' ? undefined : userClaim,
  }
}

function sayIssuer(
  iss: unknown,
  configured: UserIssuerConfig | undefined,
  { provider }: ClaimContext['issuer'],
  entries: number,
): string {
  if (configured !== undefined)
    return `issuer: ${quote(iss)}, users \`${configured.name}\`, provider ${provider}`
  const why = entries === 0 ? 'no configuration has it' : 'no `users` entry has it'
  return `issuer: ${quote(iss)}, ${why}; its form is that of provider ${provider}`
}

function sayFinding({ rule, found, problem, settings }: Finding): readonly string[] {
  const read = found.length === 0 ? '' : `: ${found.join(', ')}`
  if (problem === undefined) return [`accepted  ${rule}${read}`]
  return [`refused   ${rule}: ${problem}`, ...settings.map((setting) => `          accepted with ${setting}`)]
}
