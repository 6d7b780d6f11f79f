// Where a passphrase comes from: a file, a descriptor, or a person.  Never an argument, never the environment.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/secret.h"

namespace sat {

inline constexpr std::size_t kMaxPassphrase = 1024;  // bytes

struct PassphraseSource {
    std::optional<std::string> file;
    std::optional<int> fd;
    bool may_ask = true;
    const char* option = "--passphrase";  // what -file and -fd stand behind, for hints

    bool given() const noexcept { return file || fd; }
};

// Whether what `status` is of is `user`'s secret: theirs, and closed to everybody else.  Or root's, and readable for
// root's group at most: so systemd hands over a credential, whose mode then shows the mask of an access list that names
// the user alone.
bool is_secret_of(const struct stat& status, uid_t user) noexcept;

// All of the file, which may be a pipe, or of what comes from the descriptor, without the one line end that an editor
// leaves.  config where the file is no secret of this user; input_unreadable; key_locked where it is empty or longer
// than kMaxPassphrase.
Result<SecretBytes> read_passphrase(const PassphraseSource& source);

// For keys that exist: calls `open` with what the source gives, or with what a person types, three times at most while
// the answer is key_locked.  key_locked: wrong, or nobody to ask.
Result<void> with_passphrase(const PassphraseSource& source, const std::string& what,
                             const std::function<Result<void>(const SecretBytes&)>& open);

// For keys to be made: from the source, or typed twice.  key_locked: nobody to ask.
Result<SecretBytes> choose_passphrase(const PassphraseSource& source, const std::string& what);

}  // namespace sat
