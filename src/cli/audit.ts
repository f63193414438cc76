import type { Command } from 'commander'
import { addAuditFind } from './audit-find.ts'
import { addAuditProve } from './audit-prove.ts'
import { addAuditShow } from './audit-show.ts'
import { addAuditVerify } from './audit-verify.ts'
import type { Finish, Terminal } from './terminal.ts'

/** Adds `audit show`, `audit find`, `audit verify`, `audit prove` and `audit check`. */
export function addAudit(program: Command, terminal: Terminal, finish: Finish): void {
  const audit = program.command('audit').description('read and verify the audit log')
  addAuditShow(audit, terminal, finish)
  addAuditFind(audit, terminal, finish)
  addAuditVerify(audit, terminal, finish)
  addAuditProve(audit, terminal, finish)
}
