// What a power cut leaves of a program's files, told from the journal that fault.cc wrote while it ran: of each file
// what its last sync covered, of each directory the names that were there at its last sync, and of everything after
// that as much as a test wants.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "support/fault_journal.h"

namespace sat::test {

class PowerCut {
public:
    // How much of what was not synced is there all the same.
    enum class Unsynced {
        lost,   // nothing
        named,  // every name, no data: what a file system does that journals its directories alone
        torn,   // some names, up to one of them; some writes, whole or cut at a sector's end
    };

    // What lies in `roots` now is on the disk; one that is not there is for the program to make.  No program runs
    // there.
    explicit PowerCut(std::vector<Path> roots);

    // Of a run that is over.
    void read_journal(const Path& journal);
    std::size_t records() const noexcept { return records_.size(); }
    // As if `count` records had been made; never fewer than before.
    void advance(std::size_t count);
    // Makes the roots what a cut would leave now.  `seed` chooses what is torn.
    void restore(Unsynced unsynced, std::uint64_t seed) const;

private:
    struct Change {
        std::uint64_t offset = 0;
        bool truncates = false;
        Bytes data;
    };
    struct Object {
        bool directory = false;
        Bytes synced;
        std::vector<Change> pending;
    };
    // A name given (from empty), taken away (to empty), or changed.
    struct Naming {
        std::string from;
        std::string to;
        std::size_t object = 0;
        bool keeps_from = false;  // a link
    };
    struct Record {
        JournalHeader header;
        std::string path;
        std::string other;
        Bytes data;
    };
    using Names = std::map<std::string, std::size_t>;

    static void apply(const Change& change, Bytes& content);
    static void apply(const Naming& naming, Names& names);
    void name(Naming naming);
    void sync_directory(const std::string& path);

    std::vector<Path> roots_;
    std::vector<Record> records_;
    std::size_t played_ = 0;
    std::vector<Object> objects_;
    std::unordered_map<std::uint64_t, std::size_t> by_inode_;
    Names now_;
    Names synced_;
    std::vector<Naming> pending_;
};

}  // namespace sat::test
