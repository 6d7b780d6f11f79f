// What the bare loops share: the bounds of SAT's jobs, measured.  docs/performance.md, "Method".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "base/bytes.h"
#include "base/file.h"

namespace sat::bare {

inline void require(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(what);
}
template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <typename T>
MutableBytes memory_of(T& value) {
    return {reinterpret_cast<std::byte*>(&value), sizeof value};
}

class Stream {
public:
    explicit Stream(FileDescriptor fd);
    void send(ByteView bytes) const;
    // All of it.  False at the end of the stream, in place of the first byte.
    bool receive(MutableBytes into) const;

private:
    FileDescriptor fd_;
};

FileDescriptor create(const Path& path, int flags);
void sync(const FileDescriptor& fd);

Stream connect_to(const std::string& port);
// Prints a port; a thread for each connection.  Until it is killed.
[[noreturn]] void serve(const std::function<void(const Stream&)>& each);

// What `run` returns, or 1 and what it threw.
int main_of(const char* name, const std::function<int()>& run);

}  // namespace sat::bare
