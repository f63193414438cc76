import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { parseResourceTemplate, toResource } from '../../../src/policy/catalog/resource-template.ts'

describe('policy/catalog/resource-template', () => {
  const params = [
    { name: 'ward', value: '7' },
    { name: 'id', value: '42' },
  ]
  const rows = [
    ['Patient::{id}', { type: 'Patient', id: '42' }],
    ['Clinic::Patient::{id}', { type: 'Clinic::Patient', id: '42' }],
    ['Ward::"west"', { type: 'Ward', id: 'west' }],
  ] as const
  for (const [text, want] of rows) {
    it(`\`${text}\` names ${want.type} ${want.id}`, () => {
      const template = parseResourceTemplate(text)
      if (isInvalid(template)) throw new TypeError(template.reason)
      expect(toResource(template, params)).to.deep.equal(want)
    })
  }

  for (const text of [
    '',
    'Patient',
    'Patient::',
    'Patient::42',
    'Patient::a{id}',
    'Patient::{a}{b}',
    'Patient::"a{id}"',
    '{id}',
    'User::{id}',
    'Agent::"x"',
    'Service::{id}',
    'Autonomous::{id}',
  ]) {
    it(`refuses \`${text}\``, () => expect(isInvalid(parseResourceTemplate(text))).to.equal(true))
  }
})
