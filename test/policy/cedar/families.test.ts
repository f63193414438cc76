import { expect } from 'chai'
import { entityKey } from '../../../src/base/model/entity-uid.ts'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'
import { type Families, readFamilies } from '../../../src/policy/cedar/families.ts'

function read(text: string): Families {
  const schema = createCedar().schemaToJson(text)
  if (schema.type === 'failure') throw new TypeError(JSON.stringify(schema.errors))
  return readFamilies(schema.json)
}

describe('policy/cedar/families', () => {
  const families = read(`
    entity Ward in [Ward]; entity Patient in [Ward, Lab::Rack];
    action "read"; action "look" in ["read", Lab::Action::"export", Site::Action::"sensitive"];
    namespace Lab {
      entity Rack in [Shelf]; entity Shelf in [Ward];
      action "sensitive"; action "export" in ["sensitive"]; action "peek" in [Action::"read"]; action "stare" in ["read"];
    }
    namespace Lab::Deep { entity Rack in [Lab::Rack]; action "export" in [Lab::Action::"sensitive"]; }
    namespace Site { action "sensitive"; }
  `)

  const types = [
    { type: 'Patient', above: ['Patient', 'Ward', 'Lab::Rack', 'Lab::Shelf'] },
    { type: 'Lab::Rack', above: ['Lab::Rack', 'Lab::Shelf', 'Ward'] },
    { type: 'Lab::Deep::Rack', above: ['Lab::Deep::Rack', 'Lab::Rack', 'Lab::Shelf', 'Ward'] },
  ]
  for (const { type, above } of types) {
    it(`an entity of \`${type}\` can lie in ${above.join(', ')}`, () => {
      expect([...(families.types.get(type) ?? [])]).to.have.members(above)
    })
  }

  const actions = [
    {
      action: { type: 'Action', id: 'look' },
      groups: ['Action read', 'Lab::Action export', 'Lab::Action sensitive', 'Site::Action sensitive'],
    },
    { action: { type: 'Lab::Action', id: 'export' }, groups: ['Lab::Action sensitive'] },
    { action: { type: 'Lab::Deep::Action', id: 'export' }, groups: ['Lab::Action sensitive'] },
    { action: { type: 'Lab::Action', id: 'peek' }, groups: ['Action read'] },
    { action: { type: 'Lab::Action', id: 'stare' }, groups: ['Action read'] },
    { action: { type: 'Site::Action', id: 'sensitive' }, groups: [] },
    { action: { type: 'Action', id: 'export' }, groups: [] },
  ]
  for (const { action, groups } of actions) {
    it(`${action.type}::"${action.id}" is in ${groups.join(', ') || 'no group'}`, () => {
      const found = [...(families.actions.get(entityKey(action)) ?? new Map()).values()]
      expect(found.map(({ type, id }) => `${type} ${id}`)).to.have.members(groups)
    })
  }
})
