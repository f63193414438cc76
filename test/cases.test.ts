import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { createCallHandler } from '../src/envoy/handler.ts'
import { checkRequestType, checkResponseType } from './support/check-request.ts'
import { createGoldenChecker } from './support/golden-checker.ts'

const folder = new URL('./cases/check/', import.meta.url)

describe('golden CheckRequests, test/cases/check', () => {
  for (const file of readdirSync(folder)) {
    const { name, why, peer, metadata, request, response } = JSON.parse(
      readFileSync(new URL(file, folder), 'utf8'),
    )
    it(`${name}: ${why}`, async () => {
      const { check, refuse } = await createGoldenChecker(peer)
      const handle = createCallHandler({
        check,
        refuse,
        elapsedMs: () => 0,
        budgetMs: 1000,
        report: () => {},
      })
      const bytes = checkRequestType.encode(checkRequestType.fromObject(request)).finish()
      const call = {
        metadata: new Map<string, string[]>(Object.entries(metadata)),
        tlsPeerUris: [],
        deadlineMs: undefined,
      }
      expect(checkResponseType.decode(await handle(bytes, call)).toJSON()).to.deep.equal(response)
    })
  }
})
