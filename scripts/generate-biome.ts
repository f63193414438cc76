import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { apart, forbiddenWings, packageWings, pureFolders, wingOf, wings } from './wings.ts'

type Pattern = { readonly group: readonly string[]; readonly message: string }

/** biome.json: style and rules written out here, one override a wing or special folder from the table of wings. */
export function generateBiome(): ReadonlyMap<string, string> {
  const special = new Set([...apart.flat(), ...pureFolders])
  // The last override that names a file is the one that counts.
  const folders = [...Object.keys(wings), ...special]
  const config = { ...settings, overrides: [...folders.map(toOverrideOf), ...exceptions] }
  return new Map([['biome.json', format(JSON.stringify(config))]])
}

/** Biome checks its own configuration, whatever that excludes. */
function format(json: string): string {
  const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url))
  const args = [
    biome,
    'format',
    '--stdin-file-path=biome.json',
    '--json-formatter-line-width=110',
    '--indent-style=space',
  ]
  return execFileSync(process.execPath, args, { input: json, encoding: 'utf8' })
}

function toOverrideOf(folder: string): object {
  const wing = wingOf(folder)
  const strangers = apart
    .filter((pair) => pair.includes(folder))
    .flatMap((pair) => pair.filter((other) => other !== folder))
  const patterns: Pattern[] = [
    {
      group: forbiddenWings(wing).map((other) => `**/${pathOf(other)}`),
      message: `${wing} may not import this wing (scripts/wings.ts); pass a value or a function in`,
    },
    {
      // Seen from within the wing.
      group: strangers.map((other) => `**/${other.slice(wing.length + 1)}/**`),
      message: `${folder} shares no code with this folder but the format`,
    },
    {
      group: Object.entries(packageWings).flatMap(([name, owner]) =>
        owner === wing ? [] : [name, `${name}/**`],
      ),
      message: `${wing}: a third-party package has one wing`,
    },
    ...(pureFolders.includes(folder)
      ? [
          {
            group: ['node:*', 'node:*/**', '!node:crypto', 'yaml', 'valibot'],
            message: `${folder} is pure: no files, sockets or clock`,
          },
        ]
      : []),
  ]
  const options = { patterns: patterns.filter(({ group }) => group.length > 0) }
  return toOverride([`src/${pathOf(folder)}`], {
    style: { noRestrictedImports: { level: 'error', options } },
  })
}

function toOverride(includes: readonly string[], rules: object): object {
  return { includes, linter: { rules } }
}

function pathOf(folder: string): string {
  return folder === 'main' ? 'main.ts' : `${folder}/**`
}

const exceptions = [
  toOverride(['src/config/config.ts'], { style: { noProcessEnv: 'off' } }),
  toOverride(['src/cli/**', 'src/main.ts'], { suspicious: { noConsole: 'off' } }),
  toOverride(['test/**', 'demo/**', 'scripts/**', 'loadtest/**', 'agents/**'], {
    style: { noProcessEnv: 'off' },
    suspicious: { noConsole: 'off' },
  }),
  toOverride(['test/**'], { complexity: { noExcessiveLinesPerFunction: 'off' } }),
]

const settings = {
  $schema: './node_modules/@biomejs/biome/configuration_schema.json',
  vcs: { enabled: true, clientKind: 'git', useIgnoreFile: true },
  files: {
    // Markdown, YAML and generated files have their own shape.
    includes: [
      '**',
      '!**/*.md',
      '!**/*.yaml',
      '!**/*.yml',
      '!biome.json',
      '!test/vectors',
      '!test/compat/v1',
      '!test/compat/v2',
      '!test/cases',
      '!policies',
      '!docs/config.schema.json',
      '!package-lock.json',
    ],
  },
  formatter: { indentStyle: 'space', indentWidth: 2, lineWidth: 110 },
  javascript: { formatter: { quoteStyle: 'single', semicolons: 'asNeeded' } },
  linter: {
    domains: { project: 'recommended', types: 'all' },
    rules: {
      preset: 'recommended',
      style: {
        noDefaultExport: 'error',
        useImportType: 'error',
        noNonNullAssertion: 'error',
        noEnum: 'error',
        noProcessEnv: 'error',
        noParameterProperties: 'error',
        useErrorCause: 'error',
        useFilenamingConvention: { level: 'error', options: { filenameCases: ['kebab-case'] } },
        noExcessiveLinesPerFile: { level: 'error', options: { maxLines: 250, skipBlankLines: true } },
      },
      suspicious: {
        noImportCycles: 'error',
        noExplicitAny: 'error',
        noConsole: 'error',
        // It does not know `noUncheckedIndexedAccess` and calls needed checks unnecessary.
        noUnnecessaryConditions: 'off',
        useArraySortCompare: 'off',
      },
      complexity: {
        noExcessiveLinesPerFunction: { level: 'error', options: { maxLines: 50 } },
        // The compiler demands what it forbids: noPropertyAccessFromIndexSignature.
        useLiteralKeys: 'off',
      },
      correctness: { useImportExtensions: 'error' },
      performance: { noBarrelFile: 'error' },
      nursery: { noFloatingPromises: 'error', noMisusedPromises: 'error', useExhaustiveSwitchCases: 'error' },
    },
  },
}
