// The care of a vault's data: see care.h.
// SPDX-License-Identifier: Apache-2.0
#include "care.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "keys.h"
#include "vault/backup.h"
#include "vault/check.h"
#include "vault/key_life.h"

namespace sat {

namespace {

// What --json lists of damages; the count is whole.
constexpr std::size_t kMostListed = 1000;

const char* remedy_name(Remedy remedy) {
    switch (remedy) {
        case Remedy::none:
            return "none";
        case Remedy::copy:
            return "copy";
        case Remedy::rebuild:
            return "rebuild";
    }
    return "none";
}

Json report_json(const CheckReport& report) {
    Json damages = Json::array();
    for (const Damage& damage : report.damages) {
        if (damages.size() == kMostListed) break;
        damages.push_back({{"part", damage.part},
                           {"where", printable(damage.where)},
                           {"artwork", damage.artwork ? Json(damage.artwork->str()) : Json(nullptr)},
                           {"problem", printable(damage.problem)},
                           {"remedy", remedy_name(damage.remedy)},
                           {"healed", damage.healed}});
    }
    Json notes = Json::array();
    for (const std::string& note : report.notes) notes.push_back(printable(note));
    return {{"works", report.works},
            {"files", report.files},
            {"bytes", report.bytes},
            {"leaves", report.ledger.size},
            {"root", report.ledger.root.hex()},
            {"damaged", report.damages.size() + report.unlisted},
            {"left", report.left()},
            {"damages", std::move(damages)},
            {"notes", std::move(notes)}};
}

std::string count(std::uint64_t number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

// What is, or can be, done about it.
std::string outlook(const Damage& damage) {
    const bool stranger = damage.part == "stranger";
    if (damage.healed) return stranger ? "; moved to damaged/" : "; healed";
    if (damage.remedy == Remedy::copy) return "; another copy is good";
    if (damage.remedy == Remedy::rebuild) {
        if (stranger) return "; it can be moved aside";
        return damage.part == "mode" ? "; it can be changed" : "; it can be made anew";
    }
    for (const char* copied : {"image", "metadata", "identity", "master_key"})
        if (damage.part == copied) return "; no good copy is left";
    return "";
}

std::string report_text(const CheckReport& report) {
    std::string out;
    for (const Damage& damage : report.damages)
        out += damage.part + " " + printable(damage.where) + ": " + printable(damage.problem) + outlook(damage) + "\n";
    if (report.unlisted > 0)
        out += std::to_string(report.unlisted) + " further " + (report.unlisted == 1 ? "damage" : "damages") +
               " of the catalogue\n";
    for (const std::string& note : report.notes) out += "note: " + printable(note) + "\n";
    const std::uint64_t leaves = report.ledger.size;
    out += count(report.works, "work") + ", " + std::to_string(leaves) + (leaves == 1 ? " leaf, " : " leaves, ") +
           count(report.files, "file") + ", " + count(report.bytes, "byte") + " read\n";
    return out;
}

std::string could_not_be_read(std::uint64_t number) {
    return count(number, "thing") + " could not be read or " + (number == 1 ? "is" : "are") + " damaged";
}

bool can_heal(const CheckReport& report) {
    return std::ranges::any_of(report.damages,
                               [](const Damage& damage) { return !damage.healed && damage.remedy != Remedy::none; });
}

}  // namespace

std::string damage_document(const std::string& command, const Done& done) {
    Json error{{"code", done.code}, {"exit", done.exit}, {"message", done.problem}};
    error["hint"] = done.hint.empty() ? Json(nullptr) : Json(done.hint);
    error["found"] = done.data;
    return dump_json(Json{{"sat", 1}, {"command", command}, {"ok", false}, {"error", std::move(error)}}) + "\n";
}

Result<Done> check_command(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY_VALUE(const VaultKeys keys, open_keys(data, options));
    CheckOptions how;
    how.data = data;
    if (options.duplicate) how.duplicate = Path(*options.duplicate);
    how.repair = options.repair;
    how.now = now_unix();
    how.stopped = [] { return Interrupt::signal() != 0; };
    SAT_TRY_VALUE(const CheckReport report, check_vault(how, keys));
    Done done;
    done.data = report_json(report);
    done.text = report_text(report);
    if (report.left() == 0) {
        done.text += report.damages.empty() ? "all is well\n" : "all is healed\n";
        return done;
    }
    done.exit = kExitBadProof;
    done.code = "damaged";
    done.problem = count(report.left(), "damage");
    if (options.repair) {
        done.problem += " could not be healed";
        done.hint = "what it says of each tells more; put back what is lost from a backup";
    } else if (can_heal(report)) {
        done.hint = "run `sat-vaultd check --repair`";
    }
    return done;
}

Result<Done> backup_command(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY_VALUE(const VaultKeys keys, open_keys(data, options));
    BackupOptions how;
    how.data = data;
    if (options.duplicate) how.duplicate = Path(*options.duplicate);
    how.directory = Path(options.directory);
    how.now = now_unix();
    how.stopped = [] { return Interrupt::signal() != 0; };
    SAT_TRY_VALUE(BackupReport report, backup_vault(how, keys));
    if (!report.why_no_keys.empty())
        report.check.notes.push_back("the keys are not in it: " + report.why_no_keys + "; keep " +
                                     key_directory(data).string() + " apart");
    Done done;
    done.data = report_json(report.check);
    done.data["backup"] = printable(options.directory);
    done.data["keys"] = report.why_no_keys.empty();
    done.text = report_text(report.check);
    const bool whole = report.check.left() == 0;
    done.text += (whole ? "written and verified: " : "written: ") + printable(options.directory) + "\n";
    if (whole) return done;
    done.exit = kExitBadProof;
    done.code = "damaged";
    done.problem = "the backup is made, but of the vault " + could_not_be_read(report.check.left());
    done.hint = "stop the vault, and run `sat-vaultd check`";
    return done;
}

Result<Done> restore_command(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    const Path backup(options.directory);
    SAT_TRY(finish_key_change(data));
    SAT_TRY(prepare_restore(backup, data));
    // The keys of the backup, or those that were put there first.
    SAT_TRY_VALUE(const VaultKeys keys, open_keys(data, options));
    SAT_TRY_VALUE(const CheckReport report,
                  restore_vault(backup, data, keys, now_unix(), [] { return Interrupt::signal() != 0; }));
    Done done;
    done.data = report_json(report);
    done.data["data"] = printable(data.string());
    const bool whole = report.left() == 0;
    done.text =
        report_text(report) + (whole ? "restored and verified: " : "restored: ") + printable(data.string()) + "\n";
    if (whole) return done;
    done.exit = kExitBadProof;
    done.code = "damaged";
    done.problem = "restored, but of the backup " + could_not_be_read(report.left());
    done.hint =
        "`sat-vaultd check --repair` makes anew what it can; to restore again, from where all can be read, empty " +
        printable(data.string()) + " of all but the keys first";
    return done;
}

}  // namespace sat
