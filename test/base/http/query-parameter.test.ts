import { expect } from 'chai'
import { createQueryReader } from '../../../src/base/http/query-parameter.ts'

const read = createQueryReader(['_method', 'x-http-method-override'])

describe('base/http/query-parameter', () => {
  const found: readonly { readonly target: string; readonly want: readonly string[] }[] = [
    { target: '/a?_method=DELETE', want: ['DELETE'] },
    { target: '/a?x=1&_method=PUT&y=2', want: ['PUT'] },
    { target: '/a?x=1;_method=PUT', want: ['PUT'] },
    { target: '/a?_method=PUT&_method=GET', want: ['PUT', 'GET'] },
    { target: '/a?%5Fmethod=DELETE', want: ['DELETE'] },
    { target: '/a?%5f%6D%65%74%68%6f%64=DELETE', want: ['DELETE'] },
    { target: '/a?_METHOD=DELETE', want: ['DELETE'] },
    { target: '/a?.method=DELETE', want: ['DELETE'] },
    { target: '/a?%2Emethod=DELETE', want: ['DELETE'] },
    { target: '/a?+_method=DELETE', want: ['DELETE'] },
    { target: '/a?%20%20_method=DELETE', want: ['DELETE'] },
    { target: '/a?_method[]=DELETE', want: ['DELETE'] },
    { target: '/a?_method%5B0%5D=DELETE', want: ['DELETE'] },
    { target: '/a?_method%00x=DELETE', want: ['DELETE'] },
    { target: '/a?_method', want: [''] },
    { target: '/a?_method=a=b', want: ['a=b'] },
    { target: '/a?X-HTTP-Method-Override=PUT', want: ['PUT'] },
    { target: '/a?x_http.method+override=PUT', want: ['PUT'] },
    { target: '/a?x%2Dhttp%2Dmethod%2Doverride=PUT', want: ['PUT'] },
  ]
  for (const { target, want } of found)
    it(`reads ${want.length} in ${target}`, () => expect(read(target)).to.deep.equal(want))

  const passed = [
    '/a',
    '/_method=DELETE',
    '/a?',
    '/a?method=DELETE',
    '/a?my_method=DELETE',
    '/a?_methods=DELETE',
    '/a?x=_method',
    '/a?x=_method=DELETE',
    '/a?next=%2Fb%3F_method%3DDELETE',
    '/a?next=%26_method%3DDELETE',
    '/a?%255Fmethod=DELETE',
    '/a?b?_method=DELETE',
    '/a?%zz_method=DELETE',
  ]
  for (const target of passed) it(`finds none in ${target}`, () => expect(read(target)).to.deep.equal([]))
})
