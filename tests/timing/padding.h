// Ciphertexts for a KEM key that are right or wrong inside in one chosen way.  Whoever has the public key can make
// them: what a prober of the padding would send (Manger, CRYPTO 2001).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "crypto/keys.h"

namespace sat {

enum class Padding {
    valid,
    first_byte_not_zero,
    wrong_label,            // the hash of another label
    label_hash_first_byte,  // the hash of the label, but for its first byte
    label_hash_last_byte,   // or its last
    no_separator,           // zeros to the end
    other_separator,        // 02 in the place of 01
    nonzero_first_filling,  // the padding string's first byte is not zero
    nonzero_last_filling,   // or its last
    empty_message,          // m of 0 bytes, and of other sizes than 32
    message_of_31,
    message_of_33,
    longest_message,
    random,  // random bytes below the modulus
};

inline constexpr std::array kPaddings = {
    Padding::valid,
    Padding::first_byte_not_zero,
    Padding::wrong_label,
    Padding::label_hash_first_byte,
    Padding::label_hash_last_byte,
    Padding::no_separator,
    Padding::other_separator,
    Padding::nonzero_first_filling,
    Padding::nonzero_last_filling,
    Padding::empty_message,
    Padding::message_of_31,
    Padding::message_of_33,
    Padding::longest_message,
    Padding::random,
};

std::string_view padding_name(Padding padding);

// RSAES-OAEP-ENCRYPT (RFC 8017, 7.1.1) of a random m under `label`, but for what `padding` says.
Bytes wrap_with(Padding padding, const KemPublicKey& key, ByteView label);

}  // namespace sat
