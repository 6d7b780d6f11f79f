// What fault.cc writes down of a program's dealings with its files, in order, so that a test can tell what a power cut
// would have left: a header for each call, then the two paths and the data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace sat::test {

enum class JournalOp : std::uint32_t {
    create,          // path is a new regular file, inode
    write,           // inode, offset, data
    truncate,        // inode, offset is the new size
    sync,            // inode
    sync_directory,  // path
    rename,          // path to other
    link,            // path also as other
    unlink,          // path
    make_directory,  // path
};

struct JournalHeader {
    JournalOp op;
    std::uint32_t path_size;
    std::uint32_t other_size;
    std::uint32_t reserved;
    std::uint64_t inode;
    std::uint64_t offset;
    std::uint64_t data_size;
};

}  // namespace sat::test
