// A whole ledger on this machine, as C2SP tiles (c2sp.org/tlog-tiles), and its replay: what `ledger follow` and `ledger
// witness` stand on.
//     checkpoint               the note that the rest belongs to, written last; beyond it there may be full bundles of
//                              entries that were being followed, which nobody reads and the next follow() replaces
//     tile/<level>/<index>     hashes;  tile/entries/<index>  entries;  partial ones with .p/<width>
// The mirror is no more believed than the vault: every start replays all of it.  docs/protocol.md, "Following and
// witnessing".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/vault_client.h"
#include "ledger/follower.h"

namespace sat {

class LedgerMirror {
public:
    // Makes `directory` where it is not there, and replays what is in it; `client` is connected, and outlives this.
    // busy: another process follows there.  config: the files cannot be read, do not add up to their checkpoint, or are
    // another vault's.  checkpoint_inconsistent: that checkpoint contradicts the vault.  Every error of `client`.
    static Result<LedgerMirror> open(VaultClient& client, const Path& directory);

    // Goes on to the client's newest checkpoint, and writes it down.  A ledger that contradicts itself or its
    // checkpoint is checkpoint_inconsistent: the evidence is kept, the connection over, and the checkpoint not written.
    // bad_signature: the vault withholds the identity of somebody who signed an entry.  Every error of the client.
    Result<void> follow();

    // What was followed to; empty before the first.
    const std::string& checkpoint() const noexcept { return note_; }

    const LedgerFollower& follower() const noexcept { return *follower_; }

private:
    LedgerMirror(VaultClient& client, Path directory);

    Result<void> replay();
    Result<std::vector<std::string>> read_bundle(std::uint64_t at, std::uint64_t size) const;
    // `note` is the vault's for a tree that holds the entries.
    Result<void> take(const std::vector<std::string>& entries, const std::string& note);
    Result<void> take_entry(const std::string& entry, const std::string& note);
    Result<void> write_bundle(const std::vector<std::string>& entries, std::uint64_t index) const;
    Result<void> write_tiles(std::uint64_t before, std::uint64_t size) const;
    Result<void> remove_partial(std::uint64_t before, std::uint64_t size) const;
    Result<void> write(const std::string& path, ByteView bytes) const;

    VaultClient* client_;
    Path directory_;
    FileDescriptor lock_;
    std::unique_ptr<IdentityChain> vault_;  // the follower holds on to it while this is moved
    std::unique_ptr<LedgerFollower> follower_;
    std::vector<std::vector<Digest>> levels_;  // the complete nodes of tile level 0, 1, …
    std::vector<std::string> open_bundle_;     // entries of the bundle that is not full
    std::uint64_t written_ = 0;                // the checkpoint's size on the disk
    std::string note_;                         // and its note
};

}  // namespace sat
