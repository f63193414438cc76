import { readFile } from 'node:fs/promises'
import { decodeText } from '../base/document/text.ts'
import { explainFileError } from '../base/follow/file-error.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import type { Terminal } from './terminal.ts'

/** Text that was read. */
export type Input = { readonly kind: 'text'; readonly text: string }

/** Reads text from a file or, for `-`, from standard input, in any encoding. An error names the file. */
export async function readInput(
  file: string,
  { readStdin }: Pick<Terminal, 'readStdin'>,
): Promise<Input | Invalid> {
  if (file === '-') return named('standard input', decode(await readStdin()))
  return named(`\`${file}\``, await readTextFile(file))
}

/** Reads text from a file, in any encoding. An error does not name the file. */
export async function readTextFile(file: string): Promise<Input | Invalid> {
  try {
    return decode(await readFile(file))
  } catch (error) {
    return invalid(`cannot be read: ${explainFileError(file, error)}`)
  }
}

function decode(bytes: Uint8Array): Input | Invalid {
  const text = decodeText(bytes)
  return isInvalid(text) ? text : { kind: 'text', text }
}

function named(name: string, input: Input | Invalid): Input | Invalid {
  return isInvalid(input) ? invalid(`${name}: ${input.reason}`) : input
}
