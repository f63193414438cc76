import { isInvalid } from '../base/model/invalid.ts'
import { formatCount } from '../base/text/count.ts'
import {
  type Config,
  type ConfigProblems,
  formatConfigProblem,
  parseConfig,
  readEnv,
} from '../config/config.ts'
import { readTextFile } from './input.ts'
import { complainAboutExcerpt, type Terminal, toLine } from './terminal.ts'

/** The file that is read if none is named. */
export const defaultConfigFile = 'waywarden.yaml'

/** Reads waywarden.yaml and the environment. An unreadable file is a problem like any other. */
export async function readConfigFile(file: string): Promise<Config | ConfigProblems> {
  return (await readConfigAndText(file)).config
}

/** The same, with the text of the file. */
export async function readConfigAndText(
  file: string,
): Promise<{ readonly config: Config | ConfigProblems; readonly text: string }> {
  const input = await readTextFile(file)
  if (!isInvalid(input)) return { config: parseConfig(file, input.text, readEnv()), text: input.text }
  const message = `${input.reason}; name the file with \`--config\``
  return { config: { kind: 'problems', problems: [{ path: '', place: file, message }] }, text: '' }
}

/** Prints every problem with its line of the file, and their number. */
export function complainAboutConfig({ problems }: ConfigProblems, terminal: Terminal): void {
  for (const problem of problems) {
    terminal.complain(toLine(formatConfigProblem(problem)))
    complainAboutExcerpt(problem.excerpt, terminal)
  }
  terminal.complain(`${formatCount(problems.length, 'problem')} in the configuration; it cannot serve`)
}
