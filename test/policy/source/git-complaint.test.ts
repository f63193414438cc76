import { expect } from 'chai'
import { explainComplaint } from '../../../src/policy/source/git-complaint.ts'

// As OpenSSH 9.2 and git 2.39 print them.
const changed = `@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:1kxCxxyXHt6dCLphzjsqRMCm8w/SyhD4chs1mYe5NTQ.
Host key verification failed.
`
const lost = `fatal: Could not read from remote repository.

Please make sure you have the correct access rights
and the repository exists.
`

describe('policy/source/git-complaint', () => {
  const table: readonly { readonly name: string; readonly complaint: string; readonly want: RegExp }[] = [
    { name: 'nothing', complaint: '', want: /^$/ },
    {
      name: 'what it does not know',
      complaint: 'fatal: odd\n\n  and more\n',
      want: /^fatal: odd; and more$/,
    },
    {
      name: 'another host key',
      complaint: changed + lost,
      want: /^the host proves itself by SHA256:1kxCxxyXHt6dCLphzjsqRMCm8w\/SyhD4chs1mYe5NTQ, .*knownHosts.*; Host key verification failed\.; fatal: Could not read from remote repository\.$/,
    },
    {
      name: 'an unknown host',
      complaint: 'No ED25519 host key is known for git.example and you have requested strict checking.',
      want: /^`policy\.git\.knownHosts` has no such key of git\.example; /,
    },
    {
      name: 'a key that is refused',
      complaint: `git@git.example: Permission denied (publickey,password).\n${lost}`,
      want: /^the host does not take the key in `policy\.git\.sshKey` \(publickey,password\); /,
    },
    {
      name: 'a proxy that is refused',
      complaint: "fatal: unable to access 'https://x/': Received HTTP code 407 from proxy after CONNECT",
      want: /^the proxy does not take what `policy\.git\.proxyAuthFile` holds \(407\); /,
    },
    {
      name: 'a proxy that is refused, as a newer curl says it',
      complaint: 'CONNECT tunnel failed, response 407',
      want: /^the proxy does not take what `policy\.git\.proxyAuthFile` holds \(407\); /,
    },
  ]
  for (const { name, complaint, want } of table) {
    it(`explains ${name}`, () => expect(explainComplaint(complaint)).to.match(want))
  }

  it('stays short, and says first what to do', () => {
    const said = explainComplaint(`${'remote: noise\n'.repeat(200)}${changed}`)
    expect(said).to.match(/^the host proves itself/)
    expect(said.length).to.be.at.most(600)
  })
})
