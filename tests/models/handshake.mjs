// SAT-KEM/1 of docs/protocol.md as Horn clauses: what an attacker who owns the network can learn, or be taken for.
//   handshake.mjs design    the protocol as it stands: exactly the attacks that must be possible are found
//   handshake.mjs bugs      each seeded bug is found: a model that no longer sees one has lost its eyes
//   handshake.mjs margins   what is bound twice holds by either binding alone
// Each line is a goal in a scenario, proved by SPASS and by E, who must agree. docs/security-argument.md says what a
// proof here is worth and what it is not.
//
// The abstraction is the usual one (Blanchet's): `i(t)` says that the attacker can know t; cryptography is perfect;
// every party runs any number of sessions; a fresh value is a function of what its maker had seen. It errs towards the
// attacker. Three things are left out, each of which only takes bindings away, so that what is proved holds the more:
// the shared secret of a KEM is m itself, th_2 and th_3 name th_2a alone, and rewrapping checks no commitment.
//
//   sc kc      the client's sign and kem keys         wallet = spk(sc); its chain = sc's signature on pk(kc)
//   sv kv kst  the vault's sign, kem and store keys    likewise; IDENTITY is public
//   att(N)     whatever the attacker makes for himself: keys, ephemerals, wallets, and a vault of his own, spk(att(e))
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { bind, derives } from './horn.mjs';

/** What goes wrong for somebody if the attacker can derive it. */
const goals = {
    request: 'reads what the client sends to its vault',
    response: 'reads what the vault sends to this client',
    identity: 'reads what enc_id seals on the way to the vault',
    image: 'reads the key of an image that only its owner may fetch',
    as_vault: 'completes a handshake with the client, whom its vault never answered',
    as_client: 'completes a handshake with the vault as a client that never called it',
};

/** Which keys the attacker has from the start; `later`, which he gets when the sessions are over. */
const scenarios = {
    honest: { stolen: [] },
    kci_c: { stolen: ['sc', 'kc'] },
    kci_v: { stolen: ['sv', 'kv', 'kst'] },
    store: { stolen: ['kst'] },
    fs: { stolen: [], later: ['sc', 'kc', 'sv', 'kv', 'kst'] },
};

/**
 * The attacks on the protocol as it stands. With the client's keys one is the client; with the vault's, the vault.
 * enc_id is sealed to the vault's kem key alone, and stored envelopes have no forward secrecy: docs/threat-model.md.
 */
const possible = [
    'kci_c response', 'kci_c as_client', 'kci_c image',
    'kci_v request', 'kci_v as_vault', 'kci_v identity', 'kci_v image',
    'store image',
    'fs identity', 'fs image',
];

/** What is changed, and which attacks must then be found. */
const bugs = {
    draft: { what: 'one key and one label for all', attacks: ['honest request', 'fs request', 'honest identity'] },
    no_purpose: { what: 'labels name their recipient alone', attacks: ['honest request', 'honest identity'] },
    one_key: { what: 'the kem key is the store key too', attacks: ['store request', 'store as_vault'] },
    no_object: { what: "an envelope's label does not name its artwork", attacks: ['honest image'] },
    no_dh: { what: 'no ephemeral Diffie-Hellman', attacks: ['fs request', 'fs response'] },
    no_ss_c: { what: "the client's KEM is not in the schedule", attacks: ['honest response', 'honest as_client'] },
    no_ss_v: { what: "the vault's KEM is not in the schedule", attacks: ['honest request', 'honest as_vault'] },
    no_pin: { what: "IDENTITY's kem key need not be signed", attacks: ['honest request', 'honest as_vault'] },
    no_chain: { what: "the client's kem key need not be signed", attacks: ['honest response', 'honest as_client'] },
    no_vault: { what: 'neither label nor transcript names the vault', attacks: ['honest as_client'] },
    mirror: { what: 'both Finished are made alike', attacks: ['honest as_client'] },
    no_s_fin: { what: "the client does not check the vault's Finished", attacks: ['honest as_vault'] },
    no_c_fin: { what: "the vault does not check the client's Finished", attacks: ['honest as_client'] },
};

/**
 * What the protocol could lose by itself without an attack in this model. It keeps them: each stands where another
 * might fail. One that stopped being spare would say that something else had gone.
 */
const spare = {
    no_th_1_in_label: "the label of the client's KEM does not name th_1",
    no_th_in_keys: 'keys and Finished are not bound to the transcript',
    no_client: "th_2a does not name the client's wallet and kem key beside the sealed identity",
};

/** The clauses of one problem. `bug` is a key of `bugs` or of `spare`, or null. */
function model(bug, scenario, goal) {
    const clauses = [];
    const rule = (premises, conclusion) => clauses.push({ premises, conclusion });
    const knows = (term) => ['i', term];
    const public_ = (...terms) => terms.forEach((term) => rule([], knows(term)));

    // The protocol's functions, as each bug bends them.
    const store = bug === 'draft' || bug === 'one_key' ? 'kv' : 'kst';
    const label = (purpose, recipient, ...more) => {
        const bent = {
            draft: ['label'],
            no_purpose: ['label', recipient],
            no_object: ['env', 'store'].includes(purpose) ? [purpose, recipient] : null,
            no_vault: purpose === 'c2v' ? [purpose] : null,
            no_th_1_in_label: purpose === 'v2c' ? [purpose, recipient] : null,
        };
        return bent[bug] ?? [purpose, recipient, ...more];
    };
    const oaep = (key, itsLabel, message) => ['oaep', key, itsLabel, message];
    const th1a = (wallet, key, x, ct) => ['th1a', ...(bug === 'no_vault' ? [] : [wallet]), key, x, ct];
    const th2a = (th1, wallet, key, y, ct) => ['th2a', ...(bug === 'no_client' ? [] : [wallet, key]), th1, y, ct];
    const th2 = (itsTh2a) => ['th2', itsTh2a];
    const th3 = (itsTh2a) => ['th3', th2(itsTh2a)];
    const key = (name, secret, th) => [name, secret, bug === 'no_th_in_keys' ? 'nothing' : th];
    const early = (m1) => ['es', bug === 'no_ss_v' ? 'nothing' : m1];
    const master = (m1, dh, m2) =>
        ['ms', ['hs', early(m1), bug === 'no_dh' ? 'nothing' : dh], bug === 'no_ss_c' ? 'nothing' : m2];
    const seal = (itsKey, text) => ['senc', itsKey, text];
    const sealedIdentity = (m1, th, chain, ext) => seal(key('kid', ['es', m1], th), ['id', ...chain, ext]);
    const vaultFinished = (ms, th) => seal(key('kshs', ms, th), key('sfin', ms, th));
    const clientFinished = (ms, th) =>
        (bug === 'mirror' ? vaultFinished(ms, th) : seal(key('kchs', ms, th2(th)), key('cfin', ms, th2(th))));
    const signed = (sign, kind, kem) => ['sign', sign, [kind, kem]];
    const chain = (sign, kem) => [['spk', sign], kem, bug === 'no_chain' ? 'nothing' : signed(sign, 'user', kem)];

    // The client calls a vault whose wallet, spk(of), it has pinned, and is sent an IDENTITY that names `kem`.
    const client = (of, kem, premises, ext, accepted) => {
        const wallet = ['spk', of];
        const [x, m1] = [['x', of, kem], ['m1', of, kem]];
        const me = chain('sc', ['pk', 'kc']);
        const ctV = oaep(kem, label('c2v', wallet), m1);
        const partial = th1a(wallet, kem, ['exp', x], ctV);
        const encId = sealedIdentity(m1, partial, me, ext);
        [['exp', x], ctV, encId].forEach((sent) => rule(premises, knows(sent)));

        const th1 = ['th1', partial, encId];
        const answered = (ctC, m2) => {
            const th = th2a(th1, me[0], me[1], ['exp', 'F'], ctC);
            const ms = master(m1, ['dh', x, 'F'], m2);
            const checked = bug === 'no_s_fin' ? [] : [knows(vaultFinished(ms, th))];
            const received = [...premises, knows(['exp', 'F']), knows(ctC), ...checked];
            rule(received, knows(clientFinished(ms, th)));
            accepted(ms, th).forEach((sent) => rule(received, knows(sent)));
        };
        answered(oaep(me[1], label('v2c', me[0], th1), 'M2'), 'M2');
        answered('CT', ['reject', 'rkc', 'CT']);            // implicit rejection
    };

    // The vault is called by anybody. `which` narrows the calls that it answers.
    const vault = (which) => {
        const said = (term) => bind(term, which);
        const wallet = ['spk', 'sv'];
        const caller = chain('SK', 'PC');
        const run = (ctV, m1) => {
            const partial = th1a(wallet, ['pk', 'kv'], ['exp', 'E'], ctV);
            const encId = sealedIdentity(m1, partial, caller, 'EXT');
            const th1 = ['th1', partial, encId];
            const [y, m2] = [['y', 'E', m1, 'SK', 'PC'], ['m2', 'E', m1, 'SK', 'PC']];
            const ctC = oaep(caller[1], label('v2c', caller[0], th1), m2);
            const th = th2a(th1, caller[0], caller[1], ['exp', y], ctC);
            const ms = master(m1, ['dh', 'E', y], m2);
            const received = [knows(['exp', 'E']), knows(ctV), knows(encId)];
            [['exp', y], ctC, vaultFinished(ms, th)].forEach((sent) => rule(received.map(said), knows(said(sent))));

            // After CLIENT_FINISHED it takes the caller for the client where the wallet is the client's.
            const checked = bug === 'no_c_fin' ? [] : [knows(clientFinished(ms, th))];
            const isClient = (term) => bind(said(term), { SK: 'sc' });
            for (const sent of [seal(key('ksap', ms, th3(th)), 'response'), 'as_client']) {
                rule([...received, ...checked].map(isClient), knows(isClient(sent)));
            }
        };
        run(oaep(['pk', 'kv'], label('c2v', wallet), 'M1'), 'M1');
        run('CT', ['reject', 'rkv', 'CT']);
    };

    // The client and its vault, and the client and a vault of the attacker's, which may name any kem key as its own.
    // For as_client the client never calls its vault; for as_vault the vault never answers that call: whatever it does
    // answer differs from the call in the ephemeral, in m_1, or in the sealed identity.
    const evil = ['att', 'e'];
    client(evil, 'PK', [knows('PK')], 'agent', () => []);
    if (goal !== 'as_client') {
        const named = bug === 'no_pin' ? [knows('PK')] : [knows('PK'), knows(signed('sv', 'vault', 'PK'))];
        client('sv', 'PK', named, 'identity', (ms, th) => [seal(key('kcap', ms, th3(th)), 'request'), 'as_vault']);
    }
    if (goal === 'as_vault') {
        const [own, seen] = [['att', 'N'], (name) => [name, evil, 'PK']];
        [{ E: own }, { M1: own }, { SK: own }, { E: seen('x') }, { M1: seen('m1') }].forEach(vault);
    } else {
        vault({});
    }

    // Storage, step 5 and 8: what was wrapped to `kem` for an artwork is wrapped to `store`, then to a caller, of whom
    // the attacker is one: so he learns it. Of the artwork a0 only its owner, the client, is served. What travels and
    // what lies on the disk is open to all, and anybody may write to the disk.
    const upload = (artwork, message) => oaep(['pk', 'kv'], label('env', ['spk', 'sv'], artwork), message);
    const stored = (artwork, message) => oaep(['pk', store], label('store', ['spk', 'sv'], artwork), message);
    rule([knows(upload('A', 'M'))], knows(stored('A', 'M')));
    rule([knows(stored(['art', 'N'], 'M'))], knows('M'));
    rule([knows(stored('a0', 'M'))], knows(oaep(['pk', 'kc'], label('env', ['spk', 'sc'], 'a0'), 'M')));
    if (goal === 'image') {
        public_(upload('a0', 'image'));
    }

    // What everybody knows, and what the attacker can do with what he has: apply every function of the protocol, and
    // undo those that a key undoes. With keys that are stolen later he does it once more, to all that was sent.
    public_(['att', 'N'], ['art', 'N'], 'a0', 'nothing', 'agent', ['spk', 'sc'], ['spk', 'sv'], ['pk', 'kc'],
        ['pk', 'kv'], ['pk', 'kst'], signed('sc', 'user', ['pk', 'kc']), signed('sv', 'vault', ['pk', 'kv']));
    const constructors = publicFunctions(clauses);
    const attacker = (p) => {
        const has = (term) => [p, term];
        for (const [name, arity] of constructors) {
            const args = Array.from({ length: arity }, (_, at) => `X${at}`);
            rule(args.map(has), has([name, ...args]));
        }
        rule([has('K'), has(['oaep', ['pk', 'K'], 'L', 'M'])], has('M'));
        rule([has('K'), has(['senc', 'K', 'M'])], has('M'));
        rule([has('E'), has(['exp', 'F'])], has(['dh', 'E', 'F']));
        rule([has('F'), has(['exp', 'E'])], has(['dh', 'E', 'F']));
        ['A', 'B', 'C', 'D'].forEach((part) => rule([has(['id', 'A', 'B', 'C', 'D'])], has(part)));
    };
    const { stolen, later } = scenarios[scenario];
    const held = (keys) => keys.map((name) => (name === 'kst' ? store : name));
    public_(...held(stolen));
    attacker('i');
    if (later) {
        rule([knows('X')], ['j', 'X']);
        attacker('j');
        held(later).forEach((name) => rule([], ['j', name]));
    }
    return { clauses, predicate: later ? 'j' : 'i' };
}

/** Every function that the clauses apply, with its arity, but for those that only their owner can: fresh values. */
function publicFunctions(clauses) {
    const owned = new Set(['x', 'm1', 'y', 'm2', 'reject', 'dh', 'att', 'art']);
    const found = new Map();
    const visit = (term) => {
        if (Array.isArray(term)) {
            const [name, ...args] = term;
            if (!owned.has(name)) {
                found.set(name, args.length);
            }
            args.forEach(visit);
        }
    };
    clauses.forEach(({ premises, conclusion }) => [...premises, conclusion].forEach(([, term]) => visit(term)));
    return found;
}

/** Whether an attack on `goal` exists; with `asked`, whether that can be derived in the same problem. */
function found(bug, scenario, goal, asked = goal) {
    const { clauses, predicate } = model(bug, scenario, goal);
    return derives(clauses, [predicate, asked], `${bug ?? 'design'}-${scenario}-${asked}`);
}

/** The protocol as it stands; and that both sides do come to an end when nobody interferes: no proof is of nothing. */
function design(expect) {
    for (const end of ['as_vault', 'as_client']) {
        expect(`a handshake completes (${end})`, found(null, 'honest', 'request', end), true);
    }
    for (const scenario of Object.keys(scenarios)) {
        // Being taken for somebody is a matter of the moment: keys that are stolen later do not come into it.
        for (const goal of Object.keys(goals).filter((name) => !(scenario === 'fs' && name.startsWith('as_')))) {
            const what = `${scenario}: an attacker ${goals[goal]}`;
            expect(what, found(null, scenario, goal), possible.includes(`${scenario} ${goal}`));
        }
    }
}

function seededBugs(expect) {
    for (const [bug, { what, attacks }] of Object.entries(bugs)) {
        for (const attack of attacks) {
            const [scenario, goal] = attack.split(' ');
            assert(!possible.includes(attack), `${attack} is possible without the bug`);
            expect(`${what}; ${scenario}: an attacker ${goals[goal]}`, found(bug, scenario, goal), true);
        }
    }
}

function margins(expect) {
    for (const [change, what] of Object.entries(spare)) {
        for (const goal of ['request', 'response', 'as_vault', 'as_client']) {
            expect(`${what}; honest: an attacker ${goals[goal]}`, found(change, 'honest', goal), false);
        }
    }
}

const run = { design, bugs: seededBugs, margins }[process.argv[2]];
if (run === undefined || process.argv.length !== 3) {
    console.error('usage: node handshake.mjs design|bugs|margins');
    process.exit(2);
}
let [tried, wrong] = [0, 0];
run((what, is, expected) => {
    tried += 1;
    wrong += is === expected ? 0 : 1;
    console.log(`${is === expected ? 'ok   ' : 'WRONG'} ${is ? 'yes' : 'no '} ${what}`);
});
console.log(`${tried} goals, ${wrong} wrong`);
process.exit(tried > 0 && wrong === 0 ? 0 : 1);
