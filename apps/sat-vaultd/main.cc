// sat-vaultd: the vault's program.  Serves clients, and lets its operator look and hold.
// docs/man/sat-vaultd.8 is the contract.
// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <string_view>

#include "base/file.h"
#include "base/memory.h"
#include "care.h"
#include "commands.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "common/output.h"
#include "crypto/openssl_memory.h"
#include "options.h"
#include "store/sqlite_memory.h"

namespace sat {

namespace {

int vaultd(int argc, char** argv) {
    const ParsedVaultd parsed = parse_vaultd_options({argv + std::min(argc, 1), argv + argc});
    const Output::Mode mode = parsed.json ? Output::Mode::json : Output::Mode::human;
    Output output("sat-vaultd", parsed.command, mode, false);
    const auto finish = [&](const Error& error) { return output.failure(error, Interrupt::signal()); };
    if (parsed.error) return finish(*parsed.error);
    if (!parsed.options) {
        const auto printed = output.print(parsed.text);
        return printed ? kExitDone : finish(printed.error());
    }
    const auto done = run_command(*parsed.options);
    if (!done) return finish(done.error());
    if (done->shown) return kExitDone;
    if (done->exit != 0) {
        const auto printed = output.print(parsed.json ? damage_document(parsed.command, *done) : done->text);
        if (!printed) return finish(printed.error());
        if (!parsed.json) output.warn(done->problem + (done->hint.empty() ? "" : "; " + done->hint));
        return done->exit;
    }
    const auto printed = output.print(parsed.json ? success_document(parsed.command, done->data) : done->text);
    return printed ? kExitDone : finish(printed.error());
}

}  // namespace

}  // namespace sat

int main(int argc, char** argv) {
    sat::end_without_memory("sat-vaultd");
    sat::end_openssl_without_memory();
    sat::end_sqlite_without_memory();
    sat::forbid_core_dumps();
    // Whatever a library makes in the vault's directories is nobody else's, whatever their modes.
    ::umask(077);
    sat::Interrupt::install();
    try {
        return sat::vaultd(argc, argv);
    } catch (const std::exception&) {
        // Threads ran out: everything else is a Result.
        static constexpr std::string_view kText =
            "sat-vaultd: error: out of threads\nsat-vaultd: hint: raise the limit on tasks, then start it again\n";
        (void)sat::write_all(2, sat::as_bytes(kText), "standard error");
        return sat::kExitBug;
    }
}
