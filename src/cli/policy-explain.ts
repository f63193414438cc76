import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { findDecision } from '../audit/read/query.ts'
import { findWholeId } from '../audit/read/whole-id.ts'
import { judgeSituation, type Verdict } from '../authoring/situation.ts'
import { isDeny } from '../base/model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import { parseCheckRequestJson } from '../explain/check-request-json.ts'
import { type Explanation, explain } from '../explain/explain.ts'
import { judgeRecord } from '../explain/judge-record.ts'
import { parseSituationArgs } from '../explain/situation-args.ts'
import { replayUnverified } from '../explain/unverified-replay.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { collect, collectPath } from './collect.ts'
import { addKeyOption, type KeyOptions, readKeys } from './log-keys.ts'
import { complainAboutPolicies, loadDirectory } from './policy-directory.ts'
import { formatExplanation } from './policy-explain-text.ts'
import { loadStoredIn } from './stored-revision.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
  toLine,
} from './terminal.ts'

type ExplainOptions = KeyOptions & {
  readonly policies: string
  readonly audit?: readonly string[]
  readonly as?: string
  readonly for?: string
  readonly via?: readonly string[]
  readonly scope?: readonly string[]
  readonly header: string
  readonly issuer?: string
  readonly json?: true
}

/** A request to explain, and the revision for it. */
type Question = { readonly verdict: Verdict; readonly revision: Revision; readonly note: string | undefined }

const unproven = 'unproven: no checkpoint of a log covers the record'
const believed = 'not verified: signatures, times and revocations were not checked'

/** Adds `policy explain`. */
export function addPolicyExplain(policy: Command, terminal: Terminal, finish: Finish): void {
  const command = policy
    .command('explain')
    .description('explain for each principal why it may or may not, and which changes would reverse that')
    .argument(
      '<request...>',
      'METHOD SERVICE/PATH or `connect SERVICE`; or a CheckRequest as JSON in a file; or a decision id',
    )
    .option('--policies <dir>', 'the policy repository', 'policies')
    .option('--as <agent>', 'the caller’s SPIFFE ID, or `ingress`')
    .option('--for <user>', 'the user: `issuer/id` or `issuer/id:group,group`; without it there is no chain')
    .option('--via <agent>', 'an actor before the caller; may be repeated, in order', collect)
    .option('--scope <scope>', 'a scope of the chain; may be repeated', collect)
    .option(
      '--audit <dir>',
      'the audit directory with the decision’s record and revision; repeat it for each replica',
      collectPath,
    )
  addKeyOption(command)
    .option('--header <name>', 'the header of a captured chain', 'actor-chain')
    .option('--issuer <name>', '`users.name` of the user’s identity provider, for a captured request')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden policy explain GET patient-records/patients/42 --as spiffe://hospital.example/ns/clinic/sa/agent-r --for hospital/clerk:billing',
        '0 explained, 1 it cannot be explained',
      ),
    )
    .action(async (request: readonly string[], options: ExplainOptions) =>
      finish(await explainCommand(request, options, terminal)),
    )
}

async function explainCommand(
  request: readonly string[],
  options: ExplainOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const question =
    options.audit === undefined
      ? await askDirectory(request, options, terminal)
      : await askRecord(request, options.audit, options.key)
  if (isInvalid(question)) {
    terminal.complain(toLine(question.reason))
    return exitCodes.negative
  }
  const { verdict, revision, note } = question
  const explanation = explain(verdict, revision)
  if (options.json) terminal.print(JSON.stringify(toJson(explanation, verdict, note), undefined, 2))
  else {
    const lines = formatExplanation(explanation, verdict.matter)
    for (const line of note === undefined ? lines : [...lines, '', note]) terminal.print(toLine(line))
  }
  return exitCodes.ok
}

async function askDirectory(
  request: readonly string[],
  options: ExplainOptions,
  terminal: Terminal,
): Promise<Question | Invalid> {
  const revision = await loadDirectory(options.policies)
  if (isProblems(revision)) {
    complainAboutPolicies(revision.problems, options.policies, terminal)
    return invalid('the policies cannot serve, so they cannot explain a decision')
  }
  const [first = '', place, ...more] = request
  if (more.length > 0)
    return invalid('expected METHOD SERVICE/PATH, a file, or `--audit DIR` and a decision id')
  if (place === undefined) return askFile(first, revision, options)
  const situation = parseSituationArgs({ ...options, method: first, place })
  return isInvalid(situation)
    ? situation
    : { verdict: judgeSituation(situation, revision), revision, note: undefined }
}

async function askFile(
  file: string,
  revision: Revision,
  { header, issuer }: ExplainOptions,
): Promise<Question | Invalid> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return invalid(`\`${file}\` cannot be read: ${describeError(error)}; a decision id needs \`--audit DIR\``)
  }
  const captured = parseCheckRequestJson(text)
  if (isInvalid(captured)) return invalid(`\`${file}\`: ${captured.reason}`)
  const belief = { peer: captured.peer, header, issuerName: issuer }
  const verdict = replayUnverified(captured.input, revision, belief)
  return isInvalid(verdict) ? verdict : { verdict, revision, note: believed }
}

async function askRecord(
  request: readonly string[],
  audit: readonly string[],
  key: KeyOptions['key'],
): Promise<Question | Invalid> {
  const [beginning = '', ...more] = request
  if (more.length > 0) return invalid('expected one decision id beside `--audit`')
  const given = await readKeys(key)
  if (isInvalid(given)) return given
  const id = await findWholeId(audit, beginning, given.keys)
  const found = isInvalid(id) ? id : await findDecision(audit, id, given.keys)
  if (isInvalid(found)) return found
  const { record, standing } = found
  const revision = await loadStoredIn(audit, record)
  if (isInvalid(revision)) return revision
  const verdict = judgeRecord(record, revision)
  const note = standing === 'unsigned' || standing === 'claimed' ? unproven : undefined
  return isInvalid(verdict) ? verdict : { verdict, revision, note }
}

function toJson(explanation: Explanation, { decision, matter }: Verdict, note: string | undefined): object {
  const { service, action, resource } = matter?.target ?? {}
  return {
    ...explanation,
    target: matter && { service: service?.name, action, resource },
    proven: note === undefined,
    code: isDeny(decision) ? decision.code : null,
  }
}
