// SPDX-License-Identifier: Apache-2.0
#include "unit/ground/floors.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

namespace sat::ground {

namespace {

using Names = std::set<std::string, std::less<>>;

// Each folder, and whose headers it may include besides its own.
const std::map<std::string, Names, std::less<>> kMayInclude{
    {"lib/base", {}},
    {"lib/crypto", {"base"}},
    {"lib/envelope", {"base", "crypto"}},
    {"lib/ledger", {"base", "crypto", "envelope"}},
    {"lib/wire", {"base", "crypto", "envelope", "ledger"}},
    {"lib/store", {"base", "crypto", "envelope", "ledger", "wire"}},
    {"lib/vault", {"base", "crypto", "envelope", "ledger", "wire", "store"}},
    {"lib/net", {"base", "crypto", "envelope", "ledger", "wire"}},
    {"lib/client", {"base", "crypto", "envelope", "ledger", "wire", "net"}},
    {"apps/common", {"base", "crypto", "envelope", "ledger", "wire", "net", "client"}},
    {"apps/sat-artist", {"base", "crypto", "envelope", "ledger", "wire", "net", "client", "common"}},
    {"apps/sat-collector", {"base", "crypto", "envelope", "ledger", "wire", "net", "client", "common"}},
    {"apps/sat-vaultd", {"base", "crypto", "envelope", "ledger", "wire", "store", "vault", "net", "common"}},
    {"apps/sat-picture", {"base"}},
};

// A library, how its headers (or one of ours that opens it up) begin, and the folders that may name it.
struct Library {
    std::string name;
    std::regex header;
    Names folders;
};
const std::vector<Library>& libraries() {
    static const Names network{"lib/net",         "lib/client",         "apps/common",
                               "apps/sat-artist", "apps/sat-collector", "apps/sat-vaultd"};
    static const Names sockets{"lib/net",         "lib/client",         "apps/common",     "apps/sat-artist",
                               "apps/sat-vaultd", "apps/sat-collector", "apps/sat-picture"};
    static const Names programs{"apps/common", "apps/sat-artist", "apps/sat-collector", "apps/sat-vaultd"};
    static const std::vector<Library> all{
        {"OpenSSL", std::regex("openssl/.*|crypto/openssl\\.h"), {"lib/crypto"}},
        {"SQLite", std::regex("sqlite3.*|store/sqlite\\.h"), {"lib/store"}},
        {"Asio", std::regex("asio(\\.hpp|/.*)|boost/.*"), network},
        {"networks", std::regex("sys/un\\.h|netinet/.*|arpa/.*|netdb\\.h"), network},
        // The picture helper gets descriptors from whoever started it.
        {"sockets", std::regex("sys/socket\\.h"), sockets},
        {"libvips", std::regex("vips/.*|glib.*|gio/.*"), {"apps/sat-picture"}},
        {"spdlog", std::regex("spdlog/.*"), {"apps/sat-vaultd"}},
        {"CLI11", std::regex("CLI/.*"), programs},
        {"nlohmann/json", std::regex("nlohmann/.*"), {"lib/base"}},
        {"utf8proc", std::regex("utf8proc\\.h"), {"lib/base"}},
    };
    return all;
}

// These are told the time and handed bytes; they never fetch either.
const Names kPure{"lib/envelope", "lib/ledger", "lib/wire"};
const std::regex kClockOrSocket(
    R"(\b(\w+_clock)\b|(?:^|[^\w.>])((?:std::|::)?(?:time|clock_gettime|gettimeofday|now_unix|socket)\s*\())");

// `text` with comments, strings and character literals blanked; preprocessor lines stay as they are.
std::string without_comments_and_strings(std::string_view text) {
    std::string out(text);
    const auto blank = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to && i < out.size(); ++i) {
            if (out[i] != '\n') out[i] = ' ';
        }
    };
    for (std::size_t at = 0; at < out.size();) {
        const std::string_view rest = std::string_view(text).substr(at);
        std::size_t end = at + 1;
        if (rest.starts_with("//")) {
            end = std::min(text.find('\n', at), text.size());
            blank(at, end);
        } else if (rest.starts_with("/*")) {
            end = std::min(text.find("*/", at), text.size() - 2) + 2;
            blank(at, end);
        } else if (rest.starts_with("R\"(")) {
            end = std::min(text.find(")\"", at), text.size() - 2) + 2;
            blank(at, end);
        } else if (rest[0] == '"' ||
                   (rest[0] == '\'' && (at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0))) {
            while (end < text.size() && text[end] != rest[0] && text[end] != '\n') end += text[end] == '\\' ? 2U : 1U;
            end = std::min(end + 1, text.size());
            blank(at, end);
        }
        at = end;
    }
    return out;
}

std::string folder_of(std::string_view path) {
    const std::size_t first = path.find('/');
    const std::size_t second = first == std::string_view::npos ? first : path.find('/', first + 1);
    return second == std::string_view::npos ? std::string() : std::string(path.substr(0, second));
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

}  // namespace

std::vector<std::string> violations(std::string_view path, std::string_view text) {
    std::vector<std::string> found;
    const std::string folder = folder_of(path);
    const auto floor = kMayInclude.find(folder);
    if (floor == kMayInclude.end()) return {std::string(path) + " lies in no floor of the architecture"};
    const std::string own = folder.substr(folder.find('/') + 1);

    Names ours;
    for (const auto& [known, includes] : kMayInclude) ours.insert(known.substr(known.find('/') + 1));

    static const std::regex include(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"].*)");
    const std::string code = without_comments_and_strings(text);
    const std::vector<std::string> code_lines = lines_of(code);
    const std::vector<std::string> lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string where = std::string(path) + ":" + std::to_string(i + 1) + ": ";
        // A commented-out include is blank in the code.
        if (std::smatch match;
            code_lines[i].find('#') != std::string::npos && std::regex_match(lines[i], match, include)) {
            const std::string header = match[1];
            const std::string target = header.find('/') == std::string::npos ? own : header.substr(0, header.find('/'));
            if (header.find("..") != std::string::npos) found.push_back(where + "walks up the tree: " + header);
            if (ours.contains(target) && target != own && !floor->second.contains(target)) {
                found.push_back(where + own + " may not include " + target);
            }
            for (const Library& library : libraries()) {
                if (std::regex_match(header, library.header) && !library.folders.contains(folder)) {
                    found.push_back(where + own + " may not name " + library.name);
                }
            }
        } else if (std::smatch word; kPure.contains(folder) && std::regex_search(code_lines[i], word, kClockOrSocket)) {
            found.push_back(where + own + " knows no clock and no socket: " + word.str());
        }
    }
    return found;
}

}  // namespace sat::ground
