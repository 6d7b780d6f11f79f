// The database's log (catalog.sqlite-wal) as it lies.  SQLite ends its reading at the first frame that is not whole,
// and says nothing: whether a crash cut the log off there, or rot took what was acknowledged, is told here.
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log; docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/file.h"

namespace sat {

// What is damaged in the log, in words; nothing where it is whole, empty or not there, or where its end alone is torn.
// io_error.
Result<std::optional<std::string>> damage_of_log(const Path& log);

}  // namespace sat
