// Keys for tests.  An RSA key takes most of a second to make, so each name's is made once, kept unencrypted in
// SAT_TEST_CACHE_DIR (0700) and loaded afterwards, by test processes that run beside each other too.  The
// references stay valid until the process ends; equal names give the same object.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include "base/assert.h"
#include "base/file.h"
#include "crypto/key_file.h"
#include "crypto/keys.h"

namespace sat {

namespace test_keys {

inline void must(bool ok, const std::string& what) {
    if (!ok) std::cerr << "test keys in " SAT_TEST_CACHE_DIR ": " << what << "\n";
    SAT_ASSERT(ok);
}

// `role`-`name`.pem in the cache as a Key, made first where it is not there.
template <typename Key, typename Make>
Key load_or_make(const std::string& role, const std::string& name, Make make) {
    const Path directory = SAT_TEST_CACHE_DIR;
    const auto made_directory = make_private_directory(directory);
    must(made_directory.has_value(), made_directory ? "" : made_directory.error().message);
    const Path path = directory / (role + "-" + name + ".pem");
    if (!std::filesystem::exists(path)) {
        const auto saved = save_private_key(path, make().handle(), nullptr);
        // Another process may have been first: then its key is the one.
        must(saved || saved.error().code == Errc::output_exists, saved ? "" : saved.error().message);
    }
    auto handle = load_private_key(path, nullptr);
    must(handle.has_value(), handle ? "" : handle.error().message);
    auto key = Key::from_handle(std::move(*handle));
    must(key.has_value(), "a key of the wrong kind");
    return std::move(*key);
}

template <typename Key, typename Make>
const Key& cached(const std::string& role, const std::string& name, Make make) {
    static std::mutex mutex;
    static std::map<std::string, Key> keys;
    const std::lock_guard lock(mutex);
    const std::string id = role + "-" + name;
    auto found = keys.find(id);
    if (found == keys.end()) found = keys.emplace(id, load_or_make<Key>(role, name, make)).first;
    return found->second;
}

}  // namespace test_keys

// RSA-3072.
inline const SigningKey& test_signing_key(const std::string& name) {
    return test_keys::cached<SigningKey>("sign", name, [] { return SigningKey::generate(RsaBits::b3072); });
}
inline const KemPrivateKey& test_kem_key(const std::string& name) {
    return test_keys::cached<KemPrivateKey>("kem", name, [] { return KemPrivateKey::generate(RsaBits::b3072); });
}
inline const LogKey& test_log_key(const std::string& name) {
    return test_keys::cached<LogKey>("log", name, [] { return LogKey::generate(); });
}

}  // namespace sat
