// Uploads that a client has begun and does not know to be done: how a file is named to the vault so that its upload can
// go on, and the commit that was sent last, so that nobody registers a work twice because an answer was lost.
// docs/protocol.md, "Resuming"; docs/storage.md, "A client's home".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/file.h"
#include "wire/messages.h"

namespace sat {

// Runs that may upload one file at once, each under a name of its own: as many as a vault lets one wallet have.
inline constexpr unsigned kUploadNames = 4;

// A name of this version of the file, for this vault: another one as soon as the file is written to or replaced.
// `which` is less than kUploadNames.
Digest upload_name(const Wallet& vault, const struct stat& file, unsigned which);

// Which of the home's runs has a name: as long as this lives, and its process does.
struct NameHold {
    enum class By { this_run, another_run, unknown };

    By by = By::unknown;  // unknown: the home's file system locks nothing
    FileDescriptor lock;
};

// `uploads/` in the home.  A name is written to by the run alone whose upload the vault has under it.
class UploadStore {
public:
    explicit UploadStore(const Path& home) : directory_(home / "uploads"), locks_(home / "uploads.lock") {}

    // Never waits.
    NameHold hold(const Digest& name) const;

    // On the disk when it succeeds; before the commit is sent.
    Result<void> keep(const Digest& name, const UploadCommitRequest& commit) const;
    // config: there is one, and it is damaged or open to others.
    Result<std::optional<UploadCommitRequest>> find(const Digest& name) const;
    // The vault's answer to this registration is known.  What another run keeps there by now stays.
    Result<void> remove(const Digest& name, const StatementId& registration) const;

private:
    Path file(const Digest& name) const { return directory_ / name.hex(); }

    Path directory_;
    Path locks_;
};

}  // namespace sat
