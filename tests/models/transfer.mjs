// The transfer's rules through Spin: transfer.pml with the programs' own table.
//   transfer.mjs RULES_TABLE table     the program's table is the one in docs/protocol.md, row by row, guard by guard
//   transfer.mjs RULES_TABLE design    with it, nothing happens that must not, and everything that should can
//   transfer.mjs RULES_TABLE bugs      each guard and each party of the table, taken away, is missed; so are other bugs
// RULES_TABLE is the built rules_table, which prints lib/ledger/rules.h's kTransitions. That decide() is its table and
// nothing else is shown by tests/unit/ledger/rules_product_test.cc. Needs spin and a C compiler.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const states = ['none', 'pending', 'confirmed', 'completed', 'declined', 'withdrawn', 'expired', 'superseded'];
const classes = ['one_owner', 'consent', 'deadline', 'hold', 'party', 'record', 'state_order', 'limits'];
const depth = 20000;

/** The events of a table, in its order. */
const eventsOf = (rows) => [...new Set(rows.map(({ event }) => event))];

/** The table's guards as the model numbers them: { row, guard }. */
const guardsOf = (rows) => rows.flatMap((row, at) => row.guards.map((guard) => ({ row: at, guard })));

/** What transfer.pml includes: names for states and events, and decide(). */
function rulesText(rows) {
    let guards = 0;
    const branches = rows.map(({ from, event, who, guards: names, to }, row) => {
        const terms = [`state == st_${from}`, `ev == ev_${event}`, `ROW(${row})`, `WHO(${row}, ${who})`];
        names.forEach((name) => terms.push(`GUARD(${guards++}, ${name})`));
        return `    :: ${terms.join(' && ')} -> next = st_${to}`;
    });
    assert(guards <= 31 && rows.length <= 31, 'more guards than bits');
    return [
        ...states.map((name, at) => `#define st_${name} ${at}`),
        ...eventsOf(rows).map((name, at) => `#define ev_${name} ${at}`),
        `#define STATES ${states.length}`, `#define EVENTS ${eventsOf(rows).length}`,
        'inline decide() {', '    if', ...branches, '    :: else -> next = st_none', '    fi', '}', '',
    ].join('\n');
}

/** Makes the checker in `folder`; gives a function that runs it with settings and says what it found. */
function checker(rows, folder) {
    writeFileSync(join(folder, 'rules.pml'), rulesText(rows));
    copyFileSync(join(here, 'transfer.pml'), join(folder, 'transfer.pml'));
    const run = (program, args) => execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    run('spin', ['-a', 'transfer.pml']);
    run('gcc', ['-O1', '-w', '-DSAFETY', '-DNOFAIR', '-o', 'pan', 'pan.c']);
    return (settings) => {
        const env = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`SAT_${name}`, `${value}`]));
        const args = ['-E', '-n', `-m${depth}`];
        const pan = spawnSync('./pan', args, { cwd: folder, env, encoding: 'utf8', maxBuffer: 1 << 26 });
        const errors = /errors: (\d+)/.exec(pan.stdout);
        assert(errors !== null && !/max search depth too small|out of memory/i.test(pan.stdout),
            `the checker came to no end:\n${pan.stdout}${pan.stderr}`);
        const violated = /assertion violated (.*) \(at depth/.exec(pan.stdout);
        assert((violated !== null) === (errors[1] !== '0'), `an error that is no assertion:\n${pan.stdout}`);
        return { found: violated !== null, states: Number(/([\d.e+]+) states, stored/.exec(pan.stdout)[1]) };
    };
}

// --- the document ---

const parties = {
    'not the owner': 'anyone_but_owner', 'current owner': 'owner', 'its collector': 'collector', '–': 'vault',
};
const phrases = {
    'head, seq, owner current': ['claim_current'],
    'head, seq current': ['head_current'],
    'not held': ['not_held'],
    'none open by this wallet on this work': ['none_by_actor'],
    '< 50 open on it': ['below_limit'],
    'now < exp ≤ now + 30 d': ['claim_exp'],
    'claim and `to` match': ['answer_ids'],
    'no other claim confirmed at this head': ['none_confirmed'],
    "now < exp ≤ min(now + 7 d, the claim's exp)": ['answer_exp'],
    'claim matches': ['claim_id'],
    'ids match': ['claim_id', 'accept_ids'],
    'neither exp passed': [],       // a claim past its deadline counts as expired
    "the claim's exp, or when confirmed the answer's, has passed": ['deadline_passed'],
};

/** The rows of the document's table, as rules_table would print them. */
function documentRows() {
    const text = readFileSync(join(here, '../../docs/protocol.md'), 'utf8');
    const section = text.split('\n## ').find((part) => part.startsWith("The transfer's rules"));
    assert(section, "docs/protocol.md has no section on the transfer's rules");
    const cells = section.split('\n').filter((line) => line.startsWith('| ')).slice(1)
        .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
    return cells.flatMap(([from, event, who, guard, to]) => from.split(', ').map((state) => ({
        from: state === '–' ? 'none' : state,
        event: event.replace(/^answer /, ''),
        who: parties[who] ?? assert.fail(`the document's party "${who}" is not known to this test`),
        guards: guard.split('; ').flatMap((phrase) =>
            phrases[phrase] ?? assert.fail(`the document's guard "${phrase}" is not known to this test`)),
        to,
    })));
}

function compareTable(rows) {
    const named = (row) => `${row.from} ${row.event} (${row.who}; ${row.guards.join(', ')}) ${row.to}`;
    // That a completion overtakes every other open claim stands in the text below the document's table.
    const overtaken = ['pending', 'confirmed'].map((from) =>
        ({ from, event: 'overtaken', who: 'vault', guards: [], to: 'superseded' }));
    assert.deepEqual(rows.map(named).sort(), [...documentRows(), ...overtaken].map(named).sort());
    console.log(`${rows.length} rows, ${guardsOf(rows).length} guards: the program's table is the document's`);
}

// --- the model ---

/** What must be reachable for a proof to be of something: settings of SAT_WITNESS. */
const witnesses = {
    'the work comes back to its first owner': 1,
    'three transfers': 2,
    'when it is hers again, her first yes is delivered once more': 3,
    ...Object.fromEntries(states.slice(1, -1).map((name, at) => [`a claim becomes ${name}`, 11 + at])),
    'a completion makes another claim expired': 20 + states.indexOf('expired'),
    'a completion makes another claim superseded': 20 + states.indexOf('superseded'),
};

function design(check) {
    let wrong = 0;
    for (const limit of [1, 2]) {
        const whole = check({ LIMIT: limit });
        console.log(`${whole.found ? 'BROKEN' : 'hold'}: the rules, in ${whole.states} states, ${limit} open at most`);
        wrong += whole.found ? 1 : 0;
    }
    for (const [what, witness] of Object.entries(witnesses)) {
        const { found } = check({ WITNESS: witness });
        console.log(`${found ? 'reachable' : 'NEVER'}: ${what}`);
        wrong += found ? 0 : 1;
    }
    return wrong;
}

function bugs(check, rows) {
    const bit = (...at) => at.reduce((mask, n) => mask | (1 << n), 0);
    const guards = guardsOf(rows);
    const guardBits = (event, ...names) => bit(...guards.map(({ row, guard }, at) => ({ row, guard, at }))
        .filter(({ row, guard }) => rows[row].event === event && names.includes(guard)).map(({ at }) => at));
    const rowBits = (event) => bit(...rows.map((row, at) => (row.event === event ? at : -1)).filter((at) => at >= 0));
    const only = (name) => classes.indexOf(name) + 1;

    const cases = [];
    guards.forEach(({ row, guard }, at) => {
        const settings = { GUARDS: bit(at), LIMIT: guard === 'below_limit' ? 1 : 2 };
        cases.push([`${rows[row].from} ${rows[row].event} without ${guard}`, settings]);
    });
    rows.forEach(({ from, event }, row) => {
        if (event !== 'time') {
            cases.push([`${from} ${event} by anybody`, { WHO: bit(row) }]);
        }
    });
    cases.push(
        ['a completion overtakes no other claim', { ROWS: rowBits('overtaken') }],
        ['consent is bound to no head: an old yes to an old claim moves the work again', {
            ROWS: rowBits('overtaken'), ONLY: only('consent'),
            GUARDS: guardBits('yes', 'head_current') | guardBits('accept', 'head_current'),
        }],
        ['consent is bound to no claim: an old yes moves the work to a new claim', {
            ONLY: only('consent'), GUARDS: guardBits('yes', 'head_current', 'answer_ids'),
        }],
        ['a decision is applied later than it was made: two owners', { APART: 1, ONLY: only('one_owner') }],
        ['a decision is applied later than it was made: past the deadline', { APART: 1, ONLY: only('deadline') }],
        ['a decision is applied later than it was made: while held', { APART: 1, ONLY: only('hold') }],
        ['a deadline counts only once noticed', { SWEPT: 1, ONLY: only('deadline') }],
    );
    // A claim whose deadline has come is expired, whoever says so.
    const harmless = new Set(['time by anybody']);
    cases.push(['time by anybody', { WHO: rowBits('time') }]);

    let wrong = 0;
    for (const [what, settings] of cases) {
        const { found } = check(settings);
        const right = found !== harmless.has(what);
        console.log(`${right ? 'ok   ' : 'WRONG'} ${found ? 'found' : 'harmless'}: ${what}`);
        wrong += right ? 0 : 1;
    }
    assert(guards.length > 0 && cases.length > guards.length);
    return wrong;
}

const [rulesTable, part] = process.argv.slice(2);
if (!['table', 'design', 'bugs'].includes(part) || process.argv.length !== 4) {
    console.error('usage: node transfer.mjs RULES_TABLE table|design|bugs');
    process.exit(2);
}
const rows = JSON.parse(execFileSync(rulesTable, { encoding: 'utf8' }));
assert(rows.length > 0);
if (part === 'table') {
    compareTable(rows);
} else {
    const folder = mkdtempSync(join(tmpdir(), 'sat-models-'));
    try {
        const check = checker(rows, folder);
        process.exitCode = (part === 'design' ? design(check) : bugs(check, rows)) === 0 ? 0 : 1;
    } finally {
        rmSync(folder, { recursive: true });
    }
}
