# The targets that hold the style: `format` rewrites, the others only say; `check` is all of them and the tests.
#   format format-check    clang-format over lib/, apps/ and tests/
#   lint                   clang-tidy over lib/ and apps/, one command a source, so that only what changed runs again.
#                          Tests are checked for format alone: gtest's macros trip every second check.
#   lint-scripts lint-man  shellcheck over our shell scripts, mandoc over docs/man
# SPDX-License-Identifier: Apache-2.0

file(GLOB_RECURSE SAT_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/lib/*.cc ${PROJECT_SOURCE_DIR}/apps/*.cc)
file(GLOB_RECURSE SAT_HEADERS CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/lib/*.h ${PROJECT_SOURCE_DIR}/apps/*.h)
file(GLOB_RECURSE SAT_TEST_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/tests/*.cc ${PROJECT_SOURCE_DIR}/tests/*.h)
file(GLOB SAT_MAN_PAGES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/docs/man/*.1 ${PROJECT_SOURCE_DIR}/docs/man/*.8)

# A script is what opens with a shell's #!, whatever it is called.
file(GLOB_RECURSE candidates CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/.ci/* ${PROJECT_SOURCE_DIR}/apps/* ${PROJECT_SOURCE_DIR}/cmake/* ${PROJECT_SOURCE_DIR}/tests/*)
list(FILTER candidates INCLUDE REGEX "(\\.sh|/[^./]+)$")
set(SAT_SCRIPTS)
foreach(candidate IN LISTS candidates)
  file(STRINGS ${candidate} first_line LIMIT_COUNT 1 LIMIT_INPUT 80)
  if(first_line MATCHES "^#!.*sh$")
    list(APPEND SAT_SCRIPTS ${candidate})
  endif()
endforeach()

# sat_tool(NAME): NAME's path in SAT_NAME, or a command that says where to get it and fails.
function(sat_tool name)
  find_program(SAT_TOOL_${name} ${name})
  mark_as_advanced(SAT_TOOL_${name})
  if(SAT_TOOL_${name})
    set(SAT_${name} ${SAT_TOOL_${name}} PARENT_SCOPE)
  else()
    set(SAT_${name} sh -c "echo '${name} is missing: run cmake/packages.sh check' >&2; exit 1" PARENT_SCOPE)
  endif()
endfunction()
sat_tool(clang-format)
sat_tool(clang-tidy)
sat_tool(shellcheck)
sat_tool(mandoc)

set(to_format ${SAT_SOURCES} ${SAT_HEADERS} ${SAT_TEST_SOURCES})
add_custom_target(format
  COMMAND ${SAT_clang-format} -i --style=file ${to_format}
  COMMENT "Formatting" VERBATIM)
add_custom_target(format-check
  COMMAND ${SAT_clang-format} --dry-run --Werror --style=file ${to_format}
  COMMENT "Checking the format" VERBATIM)

# A source is checked again when it or any header changed: coarse, and never wrong.
set(stamps)
foreach(source IN LISTS SAT_SOURCES)
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
  set(stamp ${PROJECT_BINARY_DIR}/lint/${name}.stamp)
  get_filename_component(folder ${stamp} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${SAT_clang-tidy} --quiet -p ${PROJECT_BINARY_DIR} ${source}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${source} ${SAT_HEADERS} ${PROJECT_SOURCE_DIR}/.clang-tidy
    COMMENT "clang-tidy ${name}" VERBATIM)
  list(APPEND stamps ${stamp})
endforeach()
add_custom_target(lint DEPENDS ${stamps})

add_custom_target(lint-scripts
  COMMAND ${SAT_shellcheck} ${SAT_SCRIPTS}
  COMMENT "Checking the scripts" VERBATIM)
add_custom_target(lint-man COMMENT "Checking the manual pages")
foreach(page IN LISTS SAT_MAN_PAGES)
  add_custom_command(TARGET lint-man POST_BUILD COMMAND ${SAT_mandoc} -T lint -W warning ${page} VERBATIM)
endforeach()

# Every target below `folder` that the tests run or are made of.
function(sat_targets_below folder result)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(sub IN LISTS folders)
    sat_targets_below(${sub} more)
    list(APPEND targets ${more})
  endforeach()
  set(${result} ${targets} PARENT_SCOPE)
endfunction()
sat_targets_below(${PROJECT_SOURCE_DIR}/apps to_build)
if(SAT_TESTS)
  sat_targets_below(${PROJECT_SOURCE_DIR}/tests test_targets)
  list(APPEND to_build ${test_targets})
endif()
add_custom_target(check
  COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${PROJECT_BINARY_DIR} -j2 --output-on-failure
  COMMENT "Running the tests" USES_TERMINAL VERBATIM)
add_dependencies(check format-check lint lint-scripts lint-man ${to_build})
