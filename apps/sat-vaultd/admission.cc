// Lists of wallets: see admission.h.
// SPDX-License-Identifier: Apache-2.0
#include "admission.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"

namespace sat {

namespace {

// A hundred thousand wallets with their names.
constexpr std::size_t kMaxListSize = std::size_t{8} << 20;
constexpr std::string_view kBlank = " \t";

tl::unexpected<Error> refuse_line(const Path& file, std::size_t line, std::string_view why) {
    return fail(Errc::config, printable(file.string()) + ":" + std::to_string(line) + ": " + std::string(why),
                "a line is a wallet, as the command whoami prints it, and a name if you like; # begins a comment");
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// Whoever may write the list decides who comes in: us, or root for us.
Result<void> require_trusted(int fd, const Path& file) {
    struct stat status {};
    if (fstat(fd, &status) != 0) return fail(errno_error("examine", file, errno));
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return fail(Errc::config, printable(file.string()) + " belongs to another user",
                    "chown it to yourself or root");
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(Errc::config, printable(file.string()) + " may be written by other users",
                    "chmod go-w " + printable(file.string()));
    return {};
}

}  // namespace

Result<WalletSet> parse_wallet_list(std::string_view text, const Path& file) {
    WalletSet out;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = text.find('\n');
        std::string_view rest = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (rest.ends_with('\r'))
            return refuse_line(file, line,
                               "not a line that ends with a line feed alone: take the carriage return away");
        if (!is_utf8(rest) || std::ranges::any_of(rest, is_control))
            return refuse_line(file, line, "not a line of plain text");
        rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
        if (rest.empty() || rest.front() == '#') continue;
        const auto wallet = Wallet::from_hex(rest.substr(0, rest.find_first_of(kBlank)));
        if (!wallet) return refuse_line(file, line, "not a wallet of 64 lower-case hex digits");
        out.insert(*wallet);
    }
    return out;
}

Result<WalletSet> read_wallet_list(const Path& file) {
    // What is judged is what is read: one descriptor for both.
    SAT_TRY_VALUE(const FileDescriptor fd, open_regular(file));
    SAT_TRY(require_trusted(fd.get(), file));
    Bytes text(kMaxListSize + 1);
    SAT_TRY_VALUE(const std::size_t size, read_some(fd.get(), text, file));
    if (size > kMaxListSize) return fail(Errc::config, printable(file.string()) + " is larger than 8 MiB");
    return parse_wallet_list(as_text(ByteView(text).first(size)), file);
}

Result<Admission> Admission::read(const VaultdOptions& options) {
    Admission out;
    out.listed_ = options.admit == "listed";
    if (out.listed_ && !options.wallets)
        return fail(Errc::usage, "--admit listed needs the list of those who may come in",
                    "name it with --wallets FILE");
    if (!out.listed_ && options.wallets)
        return fail(Errc::usage, "--wallets FILE says who may come in only with --admit listed",
                    "give --admit listed too, or leave --wallets out");
    if (options.wallets) {
        SAT_TRY_VALUE(out.wallets_, read_wallet_list(*options.wallets));
    }
    if (options.blocked) {
        SAT_TRY_VALUE(out.blocked_, read_wallet_list(*options.blocked));
    }
    return out;
}

bool Admission::admits(const Wallet& wallet) const {
    return !blocked_.contains(wallet) && (!listed_ || wallets_.contains(wallet));
}

}  // namespace sat
