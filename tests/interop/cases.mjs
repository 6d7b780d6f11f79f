// Tables of misbehaviours: a case is [expected outcome, name, run], a legitimate step between cases is
// ['step', name, run]. An outcome is a word: a code that a request was refused with, 'closed', 'ALERT n', 'CLOSE n', or
// 'accepted'.
// SPDX-License-Identifier: Apache-2.0
import { CutOff } from './stream.mjs';
import { Ended, Refused } from './wire.mjs';

const caseMs = 20000;

/** What came of a promise, as a word. */
export async function outcomeOf(promise) {
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(() => resolve('nothing'), caseMs)));
    const done = promise.then(() => 'accepted', (error) => {
        if (error instanceof Refused) {
            return String(error.code);
        }
        if (error instanceof Ended) {
            return `${/ALERT/.test(error.message) ? 'ALERT' : 'CLOSE'} ${error.code}`;
        }
        const reset = error instanceof CutOff || ['ECONNRESET', 'EPIPE', 'ECONNREFUSED'].includes(error.code);
        return reset ? 'closed' : `error: ${error.stack}`;
    });
    const outcome = await Promise.race([done, late]);
    clearTimeout(timer);
    return outcome;
}

/** Counts cases and keeps what did not come as expected. */
export class Report {
    constructor() {
        this.count = 0;
        this.failures = [];
    }
    /** `control` marks what is no misbehaviour, and does not count as one. */
    take(group, name, expected, got, control = false) {
        this.count += control ? 0 : 1;
        const wanted = [].concat(expected).map(String);
        const holds = wanted.includes(got);
        console.log(`${holds ? 'ok' : 'NOT OK'} ${group}: ${name}: ${got}`);
        if (!holds) {
            this.failures.push(`${group}: ${name}: expected ${wanted.join(' or ')}, got ${got}`);
        }
    }
    fail(text) {
        this.failures.push(text);
    }
    add(other) {
        this.count += other.count;
        this.failures.push(...other.failures);
    }
}
