// ledger follow: replay everything the vault ever recorded, by every rule.  ledger witness: the same, and cosign what
// was followed to, so that others can tell one ledger from two.  docs/protocol.md, "Following and witnessing".
// SPDX-License-Identifier: Apache-2.0

#include <optional>

#include "base/text.h"
#include "client/ledger_mirror.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "common/retry.h"
#include "common/views.h"
#include "crypto/key_file.h"
#include "sat-collector/commands.h"

namespace sat {

namespace {

constexpr const char* kLock = "lock";  // no wallet's name

// A witness's key and what it signed last, in the home: it runs unattended, so the key has no passphrase.
class Witness {
public:
    static Result<Witness> open(const Path& home, const std::string& name) {
        if (!is_key_name(name))
            return fail(Errc::bad_data, "the witness's name is none", "at most 100 ASCII characters, no space, no +");
        Witness witness;
        witness.name_ = name;
        witness.directory_ = home / "witness";
        SAT_TRY(make_private_directory(witness.directory_));
        SAT_TRY_VALUE(const FileDescriptor lock, lock_file_patiently(witness.directory_ / kLock));
        const Path path = witness.directory_ / "key.pem";
        if (!is_there(path)) SAT_TRY(save_private_key(path, LogKey::generate().handle(), nullptr));
        SAT_TRY_VALUE(KeyHandle handle, load_private_key(path, nullptr));
        SAT_TRY_VALUE(witness.key_, LogKey::from_handle(std::move(handle)));
        return witness;
    }

    std::string vkey() const { return WitnessKey{name_, key_->public_key()}.vkey(); }

    // Cosigns the very checkpoint that `mirror` has followed to; what was signed before is replayed in it.
    Result<std::string> cosign(VaultClient& vault, LedgerMirror& mirror) const {
        SAT_TRY_VALUE(const FileDescriptor lock, lock_file_patiently(directory_ / kLock));
        const Path path = directory_ / vault.vault_wallet().hex();
        if (is_there(path)) {
            SAT_TRY_VALUE(const Bytes bytes, read_file(path, kMaxNote));
            const std::string last = to_string(bytes);
            SAT_TRY_VALUE(const TreeHead signed_head,
                          open_checkpoint(last, vault.vault_wallet(), *vault.vault().log_key()));
            if (signed_head.size > mirror.follower().size()) {  // by another process of this home, just now
                SAT_TRY(vault.require_continuation(last));
                SAT_TRY(mirror.follow());
            }
            if (!mirror.follower().require(signed_head)) return fail(vault.accuse(last, mirror.checkpoint()));
        }
        SAT_TRY_VALUE(std::string note, cosign_note(mirror.checkpoint(), name_, *key_, now_unix()));
        // Before anybody sees it: what was signed is never forgotten.
        SAT_TRY(write_file_atomically(path, as_bytes(note), AtomicFile::Existing::replace, 0600));
        return note;
    }

private:
    std::string name_;
    Path directory_;
    std::optional<LogKey> key_;
};

class Following {
public:
    Following(ClientApp& app, const Witness* witness) : app_(app), witness_(witness) {}

    // Until --once is content, a signal comes, or something happens that no new connection mends.  The exit code: a
    // signal is how a following that has begun ends, and no error.
    Result<int> run() {
        Backoff backoff;
        for (bool stopped = false; !stopped;) {
            auto done = follow_once();
            if (done) {
                backoff.reset();
                if (app_.options().once) return kExitDone;
                stopped = !Interrupt::sleep(std::chrono::seconds(app_.options().every));
                continue;
            }
            if (reported_ && done.error().code == Errc::cancelled) break;
            if (app_.options().once || !reported_ || !may_pass_by_itself(done.error().code))
                return fail(std::move(done.error()));
            app_.output().note("the connection ended: " + done.error().message + "; trying again");
            stopped = !Interrupt::sleep(backoff.next());
        }
        return exit_code(Errc::cancelled, Interrupt::signal());
    }

private:
    // To the newest checkpoint.
    Result<void> follow_once() {
        SAT_TRY_VALUE(VaultClient * vault, app_.connect());
        if (!mirror_) {
            const Options& options = app_.options();
            const Path directory =
                options.tiles ? Path(*options.tiles) : app_.home_directory() / "ledgers" / vault->vault_wallet().hex();
            SAT_TRY_VALUE(mirror_, LedgerMirror::open(*vault, directory));
        } else {
            SAT_TRY(vault->refresh_checkpoint());
        }
        if (reported_ && *reported_ == vault->tree_head()) return {};
        SAT_TRY(mirror_->follow());
        std::string note;
        if (witness_ != nullptr) {
            SAT_TRY(check_output(*vault));
            SAT_TRY_VALUE(note, witness_->cosign(*vault, *mirror_));
            if (app_.options().output)
                SAT_TRY(write_file_atomically(*app_.options().output, as_bytes(note), AtomicFile::Existing::replace));
        }
        reported_ = mirror_->follower().head();
        return app_.output().item(report(note));
    }

    // A checkpoint of this vault's is replaced by a newer one; no other file is.
    Result<void> check_output(const VaultClient& vault) const {
        if (!app_.options().output || !is_there(*app_.options().output)) return {};
        const auto before = read_file(*app_.options().output, kMaxNote);
        if (before && open_checkpoint(as_text(*before), vault.vault_wallet(), *vault.vault().log_key())) return {};
        return fail(Errc::output_exists,
                    printable(*app_.options().output) + " is there, and no checkpoint of this vault",
                    "name another file with -o");
    }

    Report report(const std::string& note) const {
        const LedgerFollower& ledger = mirror_->follower();
        Report report;
        report.data = Json{{"size", ledger.size()},
                           {"root", ledger.head().root.hex()},
                           {"works", ledger.works()},
                           {"transfers", ledger.transfers()},
                           {"verified", true}};
        report.text = "checkpoint " + std::to_string(ledger.size()) + ": " + std::to_string(ledger.works()) +
                      (ledger.works() == 1 ? " work, " : " works, ") + std::to_string(ledger.transfers()) +
                      (ledger.transfers() == 1 ? " transfer" : " transfers") + ", every entry verified\n";
        report.brief = std::to_string(ledger.size()) + " " + to_base64(ledger.head().root.view()) + "\n";
        if (witness_ != nullptr) {
            report.data["witness"] = witness_->vkey();
            report.data["checkpoint"] = note;
            if (app_.options().output)
                report.text += field("cosigned", printable(*app_.options().output));
            else
                report.text += note;
            report.brief = app_.options().output ? "" : note;
        }
        return report;
    }

    ClientApp& app_;
    const Witness* witness_;
    std::optional<LedgerMirror> mirror_;
    std::optional<TreeHead> reported_;
};

}  // namespace

Result<Report> run_ledger(ClientApp& app) {
    std::optional<Witness> witness;
    if (app.options().action == "witness") {
        SAT_TRY(app.home());
        SAT_TRY_VALUE(witness, Witness::open(app.home_directory(), app.options().name));
        app.output().note("the witness's key is " + witness->vkey());
    }
    Following following(app, witness ? &*witness : nullptr);
    Report done;
    SAT_TRY_VALUE(done.exit, following.run());
    done.shown = true;
    return done;
}

}  // namespace sat
