import { createCallHandler } from '../src/envoy/handler.ts'
import { checkCases } from '../test/support/check-cases.ts'
import { checkRequestType, checkResponseType, encodeRawCheckRequest } from '../test/support/check-request.ts'
import { createGoldenChecker } from '../test/support/golden-checker.ts'

/** The files of test/cases/check: a CheckRequest as Envoy sends it, and the CheckResponse that it gets from the sample policies. */
export async function generateCases(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const { name, why, peer, metadata, message } of checkCases) {
    const { check, refuse } = await createGoldenChecker(peer)
    const handle = createCallHandler({ check, refuse, elapsedMs: () => 0, budgetMs: 1000, report: () => {} })
    const bytes = encodeRawCheckRequest(message)
    const call = { metadata: new Map(Object.entries(metadata)), tlsPeerUris: [], deadlineMs: undefined }
    const response = checkResponseType.decode(await handle(bytes, call)).toJSON()
    const request = checkRequestType.decode(bytes).toJSON()
    files.set(
      `test/cases/check/${name}.json`,
      `${JSON.stringify({ name, why, peer, metadata, request, response }, undefined, 2)}\n`,
    )
  }
  return files
}
