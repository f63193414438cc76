import { askEngine, engineTexts } from '../test/support/engine-corpus.ts'

/** The files of test/cases/engine: what the policy engine answers. A new version of it that differs is a change of meaning. */
export function generateEngineCases(): ReadonlyMap<string, string> {
  return new Map(engineTexts.map((text) => [`test/cases/engine/${text.name}.json`, toJson(askEngine(text))]))
}

/** A decision a line: so a difference reads as what has changed. */
function toJson({ decisions, ...text }: ReturnType<typeof askEngine>): string {
  const head = JSON.stringify(text, undefined, 2).slice(0, -2)
  return `${head},\n  "decisions": [\n${decisions.map((decision) => `    ${JSON.stringify(decision)}`).join(',\n')}\n  ]\n}\n`
}
