import type { Command } from 'commander'
import type { DecisionRecord, RecordedChain } from '../audit/format/record.ts'
import type { ProofLevel } from '../audit/log/proof-level.ts'
import { type FoundDecision, findDecision } from '../audit/read/query.ts'
import { findWholeId } from '../audit/read/whole-id.ts'
import { isConnection } from '../base/model/check-input.ts'
import type { PrincipalResult } from '../base/model/decision.ts'
import { formatEntityUid } from '../base/model/entity-uid.ts'
import { type Invalid, isInvalid } from '../base/model/invalid.ts'
import { judgeAgain, type SecondJudgement } from '../explain/why.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { collectPath } from './collect.ts'
import { addKeyOption, type KeyOptions, readKeys } from './log-keys.ts'
import { isProvable, loadStoredIn, type NotStored } from './stored-revision.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

const unproven =
  'the record has no digest of the policies, so only their repository can show whether the stored copy was changed'

type WhyOptions = KeyOptions & { readonly audit: readonly string[]; readonly json?: true }

/** Adds `why`. */
export function addWhy(program: Command, terminal: Terminal, finish: Finish): void {
  const codes =
    '0 judging again agrees, or there was nothing to judge; 1 it disagrees, the stored policies were changed, or there is no such record'
  const command = program
    .command('why')
    .description('explain a decision from its record, and judge it again with its own policy revision')
    .argument('<decision>', 'the decision id, as in the header `waywarden-decision-id`, or its start')
    .requiredOption('--audit <dir>', 'the audit directory; repeat it for each replica', collectPath)
  addKeyOption(command)
    .option('--json', 'print one JSON object')
    .addHelpText('after', helpFooter('waywarden why 0197f3b2-… --audit ./audit', codes))
    .action(async (id: string, options: WhyOptions) => finish(await why(id, options, terminal)))
}

async function why(
  beginning: string,
  { audit, json, key }: WhyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const given = await readKeys(key)
  if (isInvalid(given)) {
    terminal.complain(given.reason)
    return exitCodes.usage
  }
  const id = await findWholeId(audit, beginning, given.keys)
  const found = isInvalid(id) ? id : await findDecision(audit, id, given.keys)
  if (isInvalid(found)) {
    terminal.complain(toLine(found.reason))
    return exitCodes.negative
  }
  const { record, standing } = found
  for (const problem of found.unread) terminal.complain(toLine(problem))
  const revision = await loadStoredIn(audit, record)
  const again = isInvalid(revision) ? revision : judgeAgain(record, revision)
  const isChanged = isInvalid(revision) && revision.why === 'changed'
  const agrees = isInvalid(again) ? (isChanged ? false : null) : again.differences.length === 0
  if (json) {
    const shown = isInvalid(again) ? { kind: 'not-judged', reason: again.reason } : again
    const policies = policyStatusOf(revision, record)
    terminal.print(JSON.stringify({ record, standing, again: shown, agrees, policies }, undefined, 2))
  } else {
    const verdict = isChanged ? [`EVIDENCE WAS CHANGED: ${revision.reason}`] : formatAgain(again, record)
    const lines = [...formatRecord(found, given.keys !== undefined), '', ...verdict]
    for (const line of lines) terminal.print(toLine(line))
  }
  return agrees === false ? exitCodes.negative : exitCodes.ok
}

/** Says how certain it is that the stored policies are the ones that decided. */
function policyStatusOf(revision: Revision | NotStored, record: DecisionRecord): string {
  if (isInvalid(revision)) return revision.why
  return isProvable(record) ? 'proven' : 'unproven'
}

function formatRecord({ record, standing }: FoundDecision, hasKey: boolean): readonly string[] {
  const { request, target, service } = record
  const wanted =
    target === undefined ? '' : `, ${formatEntityUid(target.action)} on ${formatEntityUid(target.resource)}`
  const results = record.results.map(({ policies, ...result }) =>
    formatResult({ ...result, determiningPolicies: policies }),
  )
  return [
    `decision   ${record.decisionId} at ${record.time}`,
    `answer     ${record.outcome}${record.code === undefined ? '' : ` ${record.code}`}`,
    ...(record.reason === undefined ? [] : [`because    ${record.reason}`]),
    `who        ${record.caller?.id ?? 'unknown'}${record.caller?.isIngress ? ' (ingress)' : ''}`,
    `wanted     ${formatRequest(request)} ${service?.name ?? 'an unknown service'}${wanted}`,
    `on behalf  ${formatBehalf(record.chain)}`,
    `revision   ${record.policyRevision ?? 'none'}`,
    `evidence   ${formatProofLevel(standing, hasKey)}`,
    ...results,
  ]
}

function formatProofLevel(standing: ProofLevel, hasKey: boolean): string {
  const key = hasKey ? 'by the key given' : 'by the key beside the log; `--key` names one from a safe place'
  switch (standing) {
    case 'signed':
      return `signed, ${key}`
    case 'followed':
      return `signed only by the next process, because its writer was killed, ${key}`
    case 'unsigned':
      return 'NOT SIGNED YET: a checkpoint follows within seconds; until then, write access to the file allows changes'
    case 'claimed':
      return 'unproven: it comes from no signed log'
  }
}

function formatRequest(request: DecisionRecord['request']): string {
  if (request === undefined) return '? ? of'
  if (isConnection(request)) return `a connection without HTTP to ${request.destinationAddress},`
  return `${request.method} ${request.path} of`
}

function formatBehalf(chain: RecordedChain | undefined): string {
  if (chain === undefined) return 'unknown'
  if (chain.kind === 'none') return 'nobody: no chain'
  const { issuerName, id, groups } = chain.subject
  const actors = chain.kind === 'delegated' ? chain.actors.toReversed().map((actor) => actor.id) : []
  return [`${issuerName}/${id} (groups ${groups.join(', ') || 'none'})`, ...actors].join(' -> ')
}

function formatResult(
  result: Pick<PrincipalResult, 'principal' | 'role' | 'outcome' | 'determiningPolicies'>,
): string {
  const policies = result.determiningPolicies.map(({ id, file, line }) => `${file}:${line} (${id})`)
  return `  ${result.role.padEnd(10)} ${result.outcome.padEnd(11)} ${formatEntityUid(result.principal)}${policies.length > 0 ? ` by ${policies.join(', ')}` : ''}`
}

function formatAgain(again: SecondJudgement | Invalid, record: DecisionRecord): readonly string[] {
  if (isInvalid(again)) return [`not judged again: ${again.reason}`]
  const verdict =
    again.differences.length === 0
      ? ['judged again: the same']
      : ['JUDGED AGAIN: NOT THE SAME', ...again.differences.map((difference) => `  ${difference}`)]
  return isProvable(record) ? verdict : [...verdict, unproven]
}
