import type { TestResult, TestRun } from './policy-tests.ts'

/** Formats the run as JUnit XML for CI systems, one suite for each file. */
export function toJunit({ results, failed }: TestRun): string {
  const files = [...new Set(results.map(({ test }) => test.file))]
  const suites = files.flatMap((file) =>
    formatSuite(
      file,
      results.filter(({ test }) => test.file === file),
    ),
  )
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="waywarden policy test" tests="${results.length}" failures="${failed}" errors="0">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function formatSuite(file: string, results: readonly TestResult[]): readonly string[] {
  const failed = results.filter(({ differences }) => differences.length > 0).length
  return [
    `  <testsuite name="${toXml(file)}" tests="${results.length}" failures="${failed}" errors="0">`,
    ...results.flatMap(formatCase),
    '  </testsuite>',
  ]
}

function formatCase({ test, differences, refusal }: TestResult): readonly string[] {
  const open = `    <testcase classname="${toXml(test.file)}" name="${toXml(test.name)}" file="${toXml(test.file)}" line="${test.line}"`
  if (differences.length === 0) return [`${open}/>`]
  const lines = differences.map(
    ({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`,
  )
  const [first = ''] = lines
  const detail = refusal === undefined ? lines : [...lines, `because: ${refusal.code}: ${refusal.reason}`]
  return [
    `${open}>`,
    `      <failure message="${toXml(first)}">${toXml(detail.join('\n'))}</failure>`,
    '    </testcase>',
  ]
}

/** XML 1.0 cannot represent most control characters. */
function toXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
