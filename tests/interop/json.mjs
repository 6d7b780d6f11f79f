// The protocol's JSON (docs/protocol.md, Conventions): I-JSON, integers only, no duplicate names, eight levels.
// JSON.parse settles the grammar; a second pass over the tokens settles what JSON.parse lets through.
// SPDX-License-Identifier: Apache-2.0
import { require, ProtocolError } from './wire.mjs';

const maxDepth = 8;
const token = /[\s]*(?:("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]*)|(true|false|null)|([[\]{}:,]))/y;

// RFC 7493 §2.1: neither surrogates that stand alone nor noncharacters.
function requireCleanText(text) {
    for (const character of text) {
        const code = character.codePointAt(0);
        require(code < 0xd800 || code > 0xdfff, 'JSON text has a lone surrogate');
        require((code & 0xfffe) !== 0xfffe && (code < 0xfdd0 || code > 0xfdef), 'JSON text has a noncharacter');
    }
}

function requireStrict(text) {
    const open = [];                // one entry for each open bracket: a Set of names, or null for an array
    let nameComesNext = false;
    token.lastIndex = 0;
    for (let match = token.exec(text); match; match = token.exec(text)) {
        const [, string, number, , mark] = match;
        if (string !== undefined) {
            const value = JSON.parse(string);
            requireCleanText(value);
            if (nameComesNext) {
                require(!open.at(-1).has(value), 'JSON has a duplicate name');
                open.at(-1).add(value);
            }
            nameComesNext = false;
        } else if (number !== undefined) {
            require(/^-?[0-9]+$/.test(number), 'JSON has a number with a fraction or an exponent');
            require(Number.isSafeInteger(Number(number)), 'JSON has an integer beyond 2^53');
        } else if (mark === '{' || mark === '[') {
            open.push(mark === '{' ? new Set() : null);
            require(open.length <= maxDepth, 'JSON is too deep');
            nameComesNext = mark === '{';
        } else if (mark === '}' || mark === ']') {
            open.pop();
            nameComesNext = false;
        } else if (mark === ',') {
            nameComesNext = open.at(-1) !== null;
        }
    }
}

/** Parses UTF-8 bytes of any JSON value the protocol allows; throws ProtocolError for everything else. */
export function parseJson(bytes) {
    let text;
    let value;
    try {
        text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        value = JSON.parse(text);
    } catch {
        throw new ProtocolError('not JSON in UTF-8');
    }
    requireStrict(text);
    return value;
}

/** The same, where the document asks for an object. */
export function parseObject(bytes) {
    const value = parseJson(bytes);
    require(value !== null && typeof value === 'object' && !Array.isArray(value), 'JSON is not an object');
    return value;
}

/** Throws unless the object's names are exactly `names`, in any order. */
export function requireMembers(object, names, what) {
    const found = Object.keys(object);
    require(found.length === names.length && names.every((name) => Object.hasOwn(object, name)),
        `${what} has not exactly its members`);
}
