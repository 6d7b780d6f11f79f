# How every target of this project is compiled, and the two functions that make one.
# SPDX-License-Identifier: Apache-2.0

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
# What runs hot is OpenSSL's; -O3 makes our own code larger and its build longer, and nothing faster.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(SAT_WERROR "Treat warnings as errors" ON)
set(SAT_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

# Half of a cold build is nlohmann/json's, Asio's and GoogleTest's headers, read again for each source.
# Off by default: clang-tidy takes g++'s precompiled header for a broken one of its own.
option(SAT_PCH "Precompile the large headers of libraries" OFF)

if(SAT_PCH)
  # g++ 12 finds faults in std::string's own code, and in a precompiled header forgets that it is not ours to mend.
  add_compile_options("$<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow>")
endif()

# A second build of the same sources costs seconds where ccache is installed; it is never required.
find_program(SAT_CCACHE ccache)
if(SAT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SAT_CCACHE})
  if(SAT_PCH)
    # Without these ccache keeps nothing that was compiled with a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${SAT_CCACHE})
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endif()
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips)
pkg_check_modules(gmodule REQUIRED IMPORTED_TARGET gmodule-no-export-2.0)

add_library(sat_options INTERFACE)
target_include_directories(sat_options INTERFACE ${PROJECT_SOURCE_DIR}/lib)
target_compile_options(sat_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wformat=2 -Wimplicit-fallthrough -fstack-protector-strong
  $<$<BOOL:${SAT_WERROR}>:-Werror>)
if(SAT_SANITIZE)
  target_compile_options(sat_options INTERFACE -fsanitize=${SAT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  # What UBSan puts before each function for -fsanitize=function breaks clang 14's coroutines.
  target_compile_options(sat_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  target_link_options(sat_options INTERFACE -fsanitize=${SAT_SANITIZE})
else()
  target_compile_definitions(sat_options INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS>)
endif()
# All of it ends in executables; one mode for all, so that they can share a precompiled header.
target_compile_options(sat_options INTERFACE -fPIE)
target_link_options(sat_options INTERFACE -pie -Wl,-z,relro,-z,now -Wl,--as-needed)

# Asio 1.22 is headers alone; they are system headers, so that our warnings stay ours.
find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(sat_asio INTERFACE)
target_include_directories(sat_asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
# Asio looks for aligned_alloc before every standard header has said that there is one: in some sources it frees with
# operator delete what it allocated with malloc in others.  Without it, all of them agree.
target_compile_definitions(sat_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_DISABLE_STD_ALIGNED_ALLOC)
# libstdc++ 12 gives clang 14 its coroutines only when told that it has them.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
  target_compile_definitions(sat_asio INTERFACE
    __cpp_impl_coroutine=201902L ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE)
endif()
# g++ 12 takes the two halves of Asio's own coroutine frame allocator for a mismatch once it has inlined them.
target_compile_options(sat_asio INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
target_link_libraries(sat_asio INTERFACE Threads::Threads)

# sat_precompiled(NAME LINKS … HEADERS …): a set of headers that sat_precompile(TARGET NAME) lets a target begin with.
# The flags of both must be equal, so a folder with flags of its own has sets of its own.
function(sat_precompiled name)
  cmake_parse_arguments(SET "" "" "LINKS;HEADERS" ${ARGN})
  if(NOT SAT_PCH)
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE sat_options ${SET_LINKS})
  target_precompile_headers(${name} PRIVATE ${SET_HEADERS})
endfunction()
function(sat_precompile target name)
  if(SAT_PCH)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()
set(SAT_COMMON_HEADERS
  <algorithm> <array> <chrono> <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
  <string_view> <vector> <nlohmann/json.hpp> <tl/expected.hpp>)
set(SAT_ASIO_HEADERS
  <asio/awaitable.hpp> <asio/cancellation_signal.hpp> <asio/co_spawn.hpp> <asio/io_context.hpp> <asio/ip/tcp.hpp>
  <asio/read.hpp> <asio/redirect_error.hpp> <asio/steady_timer.hpp> <asio/thread_pool.hpp> <asio/use_awaitable.hpp>
  <asio/write.hpp>)
sat_precompiled(sat_headers LINKS tl::expected nlohmann_json::nlohmann_json HEADERS ${SAT_COMMON_HEADERS})
sat_precompiled(sat_net_headers LINKS tl::expected nlohmann_json::nlohmann_json sat_asio
  HEADERS ${SAT_COMMON_HEADERS} ${SAT_ASIO_HEADERS})

# sat_floor(NAME HEADERS set LINKS …): the static library of one floor, lib/NAME, from every .cc in it.
# LINKS names what it may include, floors and packages; tests/unit/ground/floors_test.cc holds the includes to it.
function(sat_floor name)
  cmake_parse_arguments(FLOOR "" "HEADERS" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.h)
  if(NOT sources)  # a floor of headers alone has nothing to archive
    add_library(sat_${name} INTERFACE)
    target_link_libraries(sat_${name} INTERFACE sat_options ${FLOOR_LINKS})
    return()
  endif()
  add_library(sat_${name} STATIC ${sources} ${headers})
  target_link_libraries(sat_${name} PUBLIC sat_options ${FLOOR_LINKS})
  set_target_properties(sat_${name} PROPERTIES LINKER_LANGUAGE CXX)
  sat_precompile(sat_${name} ${FLOOR_HEADERS})
endfunction()

# sat_program(NAME [LIBEXEC] LINKS …): an executable from every .cc of apps/NAME.
# LIBEXEC is for helpers that no person starts: installed to libexec/sat, not to bin.
# In the build tree all of them lie in bin/, so that a program finds its helper beside itself.
function(sat_program name)
  cmake_parse_arguments(PROGRAM "LIBEXEC" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE sat_options ${PROGRAM_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  if(PROGRAM_LIBEXEC)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/sat)
  else()
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()

foreach(section 1 8)
  file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.${section})
  if(pages)
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endif()
endforeach()
