// What the picture helper gives up before it looks at a picture, so that one which takes over its decoder finds
// neither memory, nor time, nor files, nor a network.  docs/architecture.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace sat {

// The helper's cap on memory.  It is set as address space, which resident memory cannot exceed; libvips with all its
// libraries takes 130 MiB of that before the first pixel, 30 MiB of it resident.
inline constexpr std::size_t kMemoryCap = std::size_t{512} << 20;
// Decoding 4 GiB of TIFF takes 10 to 40 s.
inline constexpr unsigned kCpuSeconds = 60;

// For this process and its children: a cap on memory, few descriptors, no core, no new privileges, an empty
// environment, nothing open but 0, 1 and 2.  False if any of it was refused: then no picture may be touched.
[[nodiscard]] bool limit_process() noexcept;

// Whether a process that decodes may be forked from this one: no other thread runs, which fork would leave behind in
// the middle of something; and no memory is shared that anybody can write to, by which one picture could reach the
// next.
[[nodiscard]] bool may_fork();

// Closes `first` and all descriptors above it.
[[nodiscard]] bool close_from(int first) noexcept;

// No file can be opened, made, renamed or removed any more, on a kernel that has Landlock; what is open stays open.
// False where the kernel has it and refused.
[[nodiscard]] bool reach_no_files();

// For the decoding child: a limit on CPU from now on; it can no longer write files; reach_no_files(); and where the
// kernel takes a filter, what decoding takes is all that it can do: it can neither open a file nor change one, name,
// mode and times included, nor use a socket, nor start a program or process, nor signal others, nor touch what limits
// them. False where any of it was refused by a kernel that has it: then no picture may be touched.
[[nodiscard]] bool enter_sandbox();

}  // namespace sat
