import { expect } from 'chai'
import type { Query } from '../../../src/base/model/query.ts'
import { rehearse } from '../../../src/policy/revision/rehearsal.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from '../../support/policy-files.ts'

describe('policy/revision/rehearsal', () => {
  it('asks about every route, as an agent and as a user', () => {
    const { catalog, evaluate } = mustLoad(policyFiles())
    const asked: Query[] = []
    const problems = rehearse({
      catalog,
      evaluate(query) {
        asked.push(query)
        return evaluate(query)
      },
    })
    expect(problems).to.deep.equal([])
    expect(
      asked.map(({ principal, target }) => `${principal.kind} ${target.action.id} ${target.resource.type}`),
    ).to.deep.equal(['agent read-it Patient', 'user read-it Patient'])
  })

  it('asks as an autonomous caller where the catalog lets one in', () => {
    const chainless = [workload('backup')]
    const routes = undefined
    const { catalog, evaluate } = mustLoad(
      policyFiles({
        'services.yaml': servicesYaml({ chainless, routes }),
        'team/a.cedar': 'permit (principal is Agent, action, resource in Service::"records");\n',
      }),
    )
    const asked: Query[] = []
    rehearse({
      catalog,
      evaluate(query) {
        asked.push(query)
        return evaluate(query)
      },
    })
    expect(asked.map(({ principal, role }) => `${principal.kind} ${role}`)).to.deep.equal([
      'agent caller',
      'user subject',
      'autonomous autonomous',
    ])
  })

  it('asks about a service without routes, too', () => {
    const revision = mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes: undefined }) }))
    expect(rehearse(revision)).to.deep.equal([])
  })

  it('makes a problem of what the engine cannot bear, and of nothing else', () => {
    const { catalog, evaluate } = mustLoad(policyFiles())
    const answered = { determiningPolicies: [], errors: [] }
    const failing = (query: Query) => ({ ...evaluate(query), ...answered, outcome: 'unavailable' as const })
    expect(rehearse({ catalog, evaluate: failing })).to.have.length(2)
    const erring = (query: Query) => ({ ...evaluate(query), ...answered, outcome: 'error' as const })
    expect(rehearse({ catalog, evaluate: erring })).to.deep.equal([])
  })
})
