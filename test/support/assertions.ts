import { Assertion } from 'chai'
import Mocha from 'mocha'

// Loaded before all test files (.mocharc.json, scripts/run-tests.mjs): a test that passes without an assertion fails.

let made = 0

const { assert } = Assertion.prototype
Assertion.prototype.assert = function (...given) {
  made++
  return assert.apply(this, given)
}

const { run } = Mocha.Runnable.prototype
Mocha.Runnable.prototype.run = function (done) {
  made = 0
  return run.call(this, (error) => done(error ?? problemOf(this)))
}

function problemOf(runnable: Mocha.Runnable): Error | undefined {
  return runnable instanceof Mocha.Test && made === 0 ? new Error('the test made no assertion') : undefined
}
