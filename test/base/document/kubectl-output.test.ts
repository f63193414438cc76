import { expect } from 'chai'
import { parseKubectlOutput } from '../../../src/base/document/kubectl-output.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'

const pod = '{"kind":"Pod","metadata":{"name":"a","namespace":"n","labels":{"x":"1"}}}'
const service = '{"kind":"Service","metadata":{"name":"s } ] \\" {"}}'
const list = `{"apiVersion":"v1","kind":"List","items":[${pod},${service}]}`
const both = ['Pod a', 'Service s } ] " {']

const read: readonly { readonly name: string; readonly text: string; readonly want: readonly string[] }[] = [
  { name: 'one object', text: pod, want: ['Pod a'] },
  { name: 'a list', text: list, want: both },
  { name: 'an empty list', text: '{"kind":"List","items":[]}', want: [] },
  { name: 'lists and objects in a row', text: `${list}\n${pod}${pod}\n`, want: [...both, 'Pod a', 'Pod a'] },
  { name: 'a list in a list', text: `{"kind":"List","items":[${list}]}`, want: both },
  { name: 'JSON lines', text: `${pod}\r\n${pod}\r\n`, want: ['Pod a', 'Pod a'] },
  { name: 'an array, as jq or jsonpath leave it', text: `[${pod}, ${service}]`, want: both },
  { name: 'arrays in a row', text: `[${pod}]\n[${pod}]`, want: ['Pod a', 'Pod a'] },
  {
    name: 'what `--raw` prints, whose items do not say their kind',
    text: '{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}',
    want: ['Service a', 'Service b'],
  },
  {
    name: 'a watch',
    text: `{"type":"ADDED","object":${pod}}\n{"type":"MODIFIED","object":${service}}\n`,
    want: both,
  },
  {
    name: 'what kubectl warned of before it',
    text: `Warning: v1 ComponentStatus is deprecated\nW1130 10:00:00.000000 1 warnings.go:70] old\n${list}`,
    want: both,
  },
  { name: 'the command that the doctor prints before it', text: `$ kubectl get pods\n${list}`, want: both },
  {
    name: 'a list as YAML',
    text: 'apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\nkind: List\nmetadata:\n  resourceVersion: ""\n',
    want: ['Pod a'],
  },
  { name: 'one object as YAML', text: 'kind: Pod\nmetadata:\n  name: a\n', want: ['Pod a'] },
  {
    name: 'manifests, as kustomize and Helm print them',
    text: '---\n# Source: a.yaml\nkind: Pod\nmetadata: {name: a}\n---\n---\n# nothing\n---\nkind: Service\nmetadata: {name: b}\n',
    want: ['Pod a', 'Service b'],
  },
  {
    name: 'several lists as YAML',
    text: 'kind: List\nitems:\n- {kind: Pod, metadata: {name: a}}\n---\nkind: PodList\nitems:\n- {metadata: {name: b}}\n',
    want: ['Pod a', 'Pod b'],
  },
]

const refused: readonly { readonly name: string; readonly text: string; readonly says: RegExp }[] = [
  { name: 'nothing', text: ' \n', says: /found nothing/ },
  { name: 'a table', text: 'NAME  READY\na  1/1\n', says: /a table; add `-o json`/ },
  {
    name: 'a table of all namespaces',
    text: 'NAMESPACE   NAME   TYPE\nn   a   ClusterIP\n',
    says: /a table/,
  },
  { name: 'names alone', text: 'service/a\npod/b\n', says: /-o json.*-o name/ },
  {
    name: 'a description',
    text: 'Name:              a\nNamespace:         b\nLabels:            <none>\n',
    says: /kubectl describe/,
  },
  {
    name: 'an error of kubectl',
    text: 'error: the server doesn\'t have a resource type "gateways"\n',
    says: /kubectl's error: `error: the server/,
  },
  { name: 'no access', text: 'Error from server (Forbidden): services is forbidden\n', says: /Forbidden/ },
  { name: 'no resources', text: 'No resources found in default namespace.\n', says: /-A/ },
  {
    name: 'an error as an object',
    text: '{"kind":"Status","status":"Failure","message":"services is forbidden"}',
    says: /services is forbidden/,
  },
  { name: 'a table as an object', text: '{"kind":"Table","rows":[]}', says: /a table/ },
  { name: 'a web page', text: '<!DOCTYPE html><html></html>', says: /web page/ },
  { name: "Helm's status", text: 'NAME: waywarden\nLAST DEPLOYED: Mon Nov 30\n', says: /helm get manifest/ },
  {
    name: 'another file of ours',
    text: 'version: 1\nlisteners: []\n',
    says: /without `kind`; it has `version`, `listeners`/,
  },
  { name: 'an object that does not end', text: `${pod}{"kind":`, says: /line 1, column \d+: .*cut off/ },
  { name: 'a list that does not end', text: list.slice(0, 60), says: /line 1, column \d+/ },
  { name: 'broken JSON', text: `${pod}\n{"kind":}\n`, says: /line 2, column 1: Unexpected/ },
  {
    name: 'broken YAML',
    text: 'kind: Pod\nmetadata: {name: a\n',
    says: /line 2, column 19: not usable as YAML/,
  },
  { name: 'a list of numbers', text: '[1, 2]', says: /found `1`/ },
  { name: 'text', text: 'hello', says: /found `hello`/ },
]

describe('base/document/kubectl-output', () => {
  for (const { name, text, want } of read) {
    it(`reads ${name}`, () => {
      const objects = parseKubectlOutput(text)
      expect(
        isInvalid(objects) ? objects.reason : objects.map((one) => `${one.kind} ${one.name}`),
      ).to.deep.equal(want)
    })
  }

  for (const { name, text, says } of refused) {
    it(`says what it is when it is ${name}`, () => {
      const objects = parseKubectlOutput(text)
      expect(isInvalid(objects) && objects.reason).to.match(says)
    })
  }
})
