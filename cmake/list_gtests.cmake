# Registers every test of `program` with ctest, one process each; ctest includes this as it starts.
# SPDX-License-Identifier: MIT
#
# Our test names are sentences, with spaces, quotes and a rule such as [R57]. CMake's own
# gtest_discover_tests gives the name to --gtest_filter as it is, where `-` and `:` and `*` have a
# meaning: such a test would never run, and pass. Here they become `?`, which matches any letter.
if(NOT EXISTS "${program}")
  add_test(asyncio_tests_not_built "${program}")
  return()
endif()
execute_process(
  COMMAND "${program}" --gtest_list_tests
  OUTPUT_VARIABLE list
  ERROR_VARIABLE error
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${program} --gtest_list_tests: ${result}\n${error}")
endif()

# Line by line, never as a CMake list: a name may contain a semicolon or one bracket.
while(NOT list STREQUAL "")
  string(FIND "${list}" "\n" end)
  if(end EQUAL -1)
    string(LENGTH "${list}" end)
  endif()
  string(SUBSTRING "${list}" 0 ${end} line)
  math(EXPR end "${end} + 1")
  string(LENGTH "${list}" length)
  if(end LESS length)
    string(SUBSTRING "${list}" ${end} -1 list)
  else()
    set(list "")
  endif()

  if(line MATCHES "^  (.+)$")
    # gtest tells what a parameter or a type is behind two spaces and a hash.
    string(REGEX REPLACE "  # (GetParam\\(\\)|TypeParam) = .*$" "" name "${suite}${CMAKE_MATCH_1}")
    if(name MATCHES "(^|[./])DISABLED_")
      continue()
    endif()
    string(REGEX REPLACE "[-:*]" "?" filter "${name}")
    add_test("${name}" "${program}" "--gtest_filter=${filter}" --gtest_brief=1)
    set_tests_properties("${name}" PROPERTIES
      TIMEOUT ${timeout}
      LABELS unit
      SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]"
      FAIL_REGULAR_EXPRESSION "0 tests from 0 test suites ran")
  elseif(line MATCHES "^([^ ].*\\.)(  # TypeParam = .*)?$")
    set(suite "${CMAKE_MATCH_1}")
  endif()
endwhile()
