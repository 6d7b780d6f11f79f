// Private keys on disk: PKCS#8 in PEM (RFC 5958, RFC 7468), encrypted with AES-256-CBC under scrypt (N = 2^14, r = 8,
// p = 5: OpenSSL 3.0 refuses a larger N at r = 8), readable by `openssl pkey`.  Modes 0600 in a 0700 directory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "crypto/keys.h"

namespace sat {

// The PEM text.  Without a passphrase: unencrypted PKCS#8 ("PRIVATE KEY").  An empty passphrase is asserted against.
SecretBytes encode_private_key(const KeyHandle& key, const SecretBytes* passphrase);

// key_locked: encrypted and `passphrase` is null or wrong.  config: not one PKCS#8 private key in PEM.
Result<KeyHandle> decode_private_key(ByteView pem, const SecretBytes* passphrase);
bool private_key_is_encrypted(ByteView pem) noexcept;

// One file.  save never replaces: output_exists.  Both check the modes first (config): save the directory's, load the
// file's too.
Result<void> save_private_key(const Path& path, const KeyHandle& key, const SecretBytes* passphrase);
Result<KeyHandle> load_private_key(const Path& path, const SecretBytes* passphrase);

// EVP_PKEY_pairwise_check, about 100 ms: at init and import.  key_policy if the halves do not belong together.
Result<void> pairwise_check(const KeyHandle& key);

// "-----BEGIN PUBLIC KEY-----" for `spki`.
std::string public_key_pem(ByteView spki);

}  // namespace sat
