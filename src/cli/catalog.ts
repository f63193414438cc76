import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { parseTrustDomain } from '../model/spiffe-id.ts'
import { type KubernetesList, parseKubernetesList } from '../revision/kubernetes-list.ts'
import { draftCatalog } from '../revision/scaffold.ts'
import {
  describeError,
  type ExitCode,
  exitCodes,
  type Finish,
  helpFooter,
  type Terminal,
} from './terminal.ts'

type ScaffoldCommandOptions = { readonly trustDomain: string; readonly namespace?: string }

/** Adds `catalog scaffold`. */
export function addCatalog(program: Command, terminal: Terminal, finish: Finish): void {
  const catalog = program.command('catalog').description('what the mesh offers: services.yaml')
  catalog
    .command('scaffold')
    .description('draft services.yaml from `kubectl get namespaces,services,pods -A -o json`')
    .argument('[file]', 'the JSON, or - for standard input', '-')
    .option('--trust-domain <name>', '`meshConfig.trustDomain` of the mesh', 'cluster.local')
    .option('--namespace <name>', 'only the services of this namespace')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden catalog scaffold cluster.json > services.yaml',
        '0 drafted, 1 no service was found, or the input cannot be read',
      ),
    )
    .action(async (file: string, options: ScaffoldCommandOptions) =>
      finish(await scaffold(file, options, terminal)),
    )
}

async function scaffold(
  file: string,
  options: ScaffoldCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const trustDomain = parseTrustDomain(options.trustDomain)
  if (typeof trustDomain !== 'string') {
    terminal.complain(`\`--trust-domain\`: ${trustDomain.reason}`)
    return exitCodes.usage
  }
  const list = await readList(file, terminal)
  if (isInvalid(list)) {
    terminal.complain(list.reason)
    return exitCodes.negative
  }
  const { lines, services } = draftCatalog(list, { trustDomain, namespace: options.namespace })
  for (const line of lines) terminal.print(line)
  if (services > 0) return exitCodes.ok
  terminal.complain('no service that a waypoint could stand in front of; the comments say why')
  return exitCodes.negative
}

async function readList(file: string, terminal: Terminal): Promise<KubernetesList | Invalid> {
  if (file === '-') return parseKubernetesList(await terminal.readStdin())
  try {
    return parseKubernetesList(await readFile(file, 'utf8'))
  } catch (error) {
    return invalid(`\`${file}\` cannot be read: ${describeError(error)}`)
  }
}
