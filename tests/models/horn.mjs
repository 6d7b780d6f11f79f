// Horn clauses over terms, written out for two provers, and what both of them say about a goal.
// A term is a string that begins with an upper-case letter (a variable), any other string (a constant), or an array
// [function, argument…]. A clause is { premises, conclusion }, each an atom [predicate, term].
// E reads TPTP (http://www.tptp.org), SPASS reads DFG; both are Debian packages (eprover, spass).
// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const secondsPerGoal = 60;      // a goal takes less than one

const isVariable = (term) => typeof term === 'string' && /^[A-Z]/.test(term);

/** `term` with each variable that `binding` has replaced by its term. */
export function bind(term, binding) {
    if (Array.isArray(term)) {
        return [term[0], ...term.slice(1).map((argument) => bind(argument, binding))];
    }
    return binding[term] ?? term;
}

function variablesOf(term, found = new Set()) {
    if (Array.isArray(term)) {
        term.slice(1).forEach((argument) => variablesOf(argument, found));
    } else if (isVariable(term)) {
        found.add(term);
    }
    return found;
}

const applied = (name, args) => (args.length === 0 ? name : `${name}(${args.join(',')})`);

/** What E reads: the clauses, and that the goal does not hold. */
export function toTptp(clauses, goal) {
    const text = (term) => (Array.isArray(term) ? applied(term[0], term.slice(1).map(text)) : term);
    const lines = clauses.map(({ premises, conclusion }, at) => {
        const literals = [...premises.map((premise) => `~${text(premise)}`), text(conclusion)];
        return `cnf(c${at}, axiom, (${literals.join(' | ')})).`;
    });
    return [...lines, `cnf(goal, negated_conjecture, (~${text(goal)})).`, ''].join('\n');
}

/** What SPASS reads. Every symbol gets a letter in front: `and`, `lr` and their like are words of the format. */
export function toDfg(clauses, goal) {
    const arities = new Map();
    const predicates = new Set();
    const text = (term) => {
        if (isVariable(term)) {
            return `V${term}`;
        }
        const [name, ...args] = Array.isArray(term) ? term : [term];
        arities.set(name, args.length);
        return applied(`f${name}`, args.map(text));
    };
    const atom = ([predicate, term]) => {
        predicates.add(predicate);
        return `p${predicate}(${text(term)})`;
    };
    const clause = ({ premises, conclusion }) => {
        const literals = `or(${[...premises.map((premise) => `not(${atom(premise)})`), atom(conclusion)].join(',')})`;
        const variables = new Set();
        [...premises, conclusion].forEach(([, term]) => variablesOf(term, variables));
        const names = [...variables].map((name) => `V${name}`);
        return `clause(${names.length === 0 ? literals : `forall([${names.join(',')}],${literals})`}).`;
    };
    const axioms = clauses.map(clause);
    const conjecture = `clause(or(not(${atom(goal)}))).`;
    const functions = [...arities].map(([name, arity]) => `(f${name},${arity})`);
    return [
        'begin_problem(sat).', 'list_of_descriptions.',
        'name({*handshake*}). author({*tests*}). status(unknown). description({*Horn clauses*}).', 'end_of_list.',
        'list_of_symbols.', `functions[${functions.join(',')}].`,
        `predicates[${[...predicates].map((name) => `(p${name},1)`).join(',')}].`, 'end_of_list.',
        'list_of_clauses(axioms,cnf).', ...axioms, 'end_of_list.',
        'list_of_clauses(conjectures,cnf).', conjecture, 'end_of_list.', 'end_problem.', '',
    ].join('\n');
}

const provers = [
    {
        name: 'SPASS', write: toDfg, suffix: 'dfg',
        command: (file) => ['SPASS', [`-TimeLimit=${secondsPerGoal}`, '-PGiven=0', '-PProblem=0', file]],
        derivable: /SPASS beiseite: Proof found\./, underivable: /SPASS beiseite: Completion found\./,
    },
    {
        name: 'E', write: toTptp, suffix: 'p',
        // Without a selection every clause is resolved on its largest literal: so the saturation ends, here.
        command: (file) =>
            ['eprover', ['-s', '--literal-selection-strategy=NoSelection', `--cpu-limit=${secondsPerGoal}`, file]],
        derivable: /SZS status Unsatisfiable/, underivable: /SZS status Satisfiable/,
    },
];

/**
 * Whether the clauses derive the goal: true or false where every prover came to an end and all agree.
 * Throws in every other case; the problem then stays where the message says.
 */
export function derives(clauses, goal, name) {
    const folder = mkdtempSync(join(tmpdir(), 'sat-models-'));
    const verdicts = provers.map((prover) => {
        const file = join(folder, `${name}.${prover.suffix}`);
        writeFileSync(file, prover.write(clauses, goal));
        const [program, args] = prover.command(file);
        const run = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
        if (run.error) {
            throw new Error(`${prover.name} cannot be run: ${run.error.message}`);
        }
        if (prover.derivable.test(run.stdout) === prover.underivable.test(run.stdout)) {
            const said = `${run.stdout.slice(-500)}${run.stderr.slice(-500)}`;
            throw new Error(`${prover.name} came to no end: ${file}\n${said}`);
        }
        return prover.derivable.test(run.stdout);
    });
    if (verdicts.some((verdict) => verdict !== verdicts[0])) {
        throw new Error(`the provers disagree (${provers.map((p, at) => `${p.name}: ${verdicts[at]}`)}): ${folder}`);
    }
    rmSync(folder, { recursive: true });
    return verdicts[0];
}
