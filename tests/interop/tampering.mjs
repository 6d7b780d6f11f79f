// Ways to bend this folder's vault, for misbehaviours against clients: each gives a `tamper` as VaultSession takes it.
// SPDX-License-Identifier: Apache-2.0
import { Refusal } from './vault_rules.mjs';

/** Changes the result of one method: `change(result, session, params)` gives another, or undefined to let it be. */
export const reply = (method, change) => ({
    reply: (m, result, session, params) =>
        (m === method ? change(structuredClone(result), session, params) : undefined),
});

/** Refuses one method with a code. */
export const refuse = (method, code) => ({
    before: (m) => {
        if (m === method) {
            throw new Refusal(code);
        }
    },
});

/** Changes each event's `p`. */
export const event = (change) => ({
    event: ({ e, p }, session) => ({ e, p: change(structuredClone(p), session) ?? p }),
});

/** Several at once; of two that bend the same reply the later sees what the earlier made. */
export function all(...tampers) {
    const merged = {};
    for (const tamper of tampers) {
        for (const [hook, act] of Object.entries(tamper)) {
            const before = merged[hook];
            if (before === undefined) {
                merged[hook] = act;
            } else if (hook === 'reply') {
                merged.reply = async (method, result, ...rest) => {
                    const made = await before(method, result, ...rest) ?? result;
                    return await act(method, made, ...rest) ?? made;
                };
            } else {
                merged[hook] = async (...args) => {
                    await before(...args);
                    return act(...args);
                };
            }
        }
    }
    return merged;
}

/** After a claim has come, somebody acts on it, as if another connection had: `act(claim, session)` gives events. */
export const afterClaim = (act) => reply('claim.open', (result, session) => {
    const claim = [...session.state.claims.values()].at(-1);
    setTimeout(() => session.vault.publish(act(claim, session)), 30);
});

/** Changes the frames of records of one type: `change({ frames, sender, session, body })`. */
export const records = (wanted, change) => ({
    records: (record) => (record.type === wanted ? change(record) ?? record.frames : record.frames),
});

/** Changes the text of every response. */
export const text = (change) => ({ text: change });
