# GoogleTest binaries and fuzz targets, each one entry of ctest.
#
#   sluice_test(dtls_wire_test
#     SOURCES wire/reader_test.cc wire/writer_test.cc
#     LIBS sluice_dtls_internal
#     [LABELS unit threads]     # default: the first folder under tests/
#     [TIMEOUT 60]              # seconds in a release build; sanitizers get more
#     [ARGS ...])
#
#   sluice_fuzz_target(record_fuzz SOURCES record_fuzz.cc LIBS sluice_dtls_internal)
#
# Each run of a GoogleTest binary leaves reports/<name>.xml in the build tree: ./dev test counts the test cases there.

set(SLUICE_TIMEOUT_FACTOR 1)
if(SLUICE_SANITIZE MATCHES "thread")
  set(SLUICE_TIMEOUT_FACTOR 10)
elseif(SLUICE_SANITIZE)
  set(SLUICE_TIMEOUT_FACTOR 4)
endif()

set(SLUICE_TEST_ENVIRONMENT
  "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/lsan.supp:print_suppressions=0"
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/tsan.supp")

function(_sluice_test_properties name labels timeout)
  if(NOT labels)
    file(RELATIVE_PATH labels "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    string(REGEX REPLACE "^tests/" "" labels "${labels}")
    string(REGEX REPLACE "/.*" "" labels "${labels}")
  endif()
  if(NOT timeout)
    set(timeout 60)
  endif()
  math(EXPR timeout "${timeout} * ${SLUICE_TIMEOUT_FACTOR}")
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT ${timeout} ENVIRONMENT "${SLUICE_TEST_ENVIRONMENT}")
endfunction()

function(sluice_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;LABELS;ARGS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sluice_test(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  add_executable(${name})
  sluice_sources(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE "SLUICE_TEST_DATA=\"${PROJECT_SOURCE_DIR}/tests\"")
  target_link_libraries(${name} PRIVATE sluice_warnings ${arg_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE -O0) # what is tested is optimised; the tests compile in half the time
  add_test(NAME ${name}
    COMMAND ${name} --gtest_brief=1 "--gtest_output=xml:${PROJECT_BINARY_DIR}/reports/${name}.xml" ${arg_ARGS})
  _sluice_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}")
endfunction()

# The same tests once more, with connections that are cold whenever they are used.
function(sluice_cold_test name)
  add_test(NAME ${name}_cold COMMAND ${name} --gtest_brief=1 ${ARGN})
  _sluice_test_properties(${name}_cold "" "")
  set_property(TEST ${name}_cold APPEND PROPERTY ENVIRONMENT SLUICE_TEST_MAX_WARM=1)
endfunction()

# In a fuzz build a libFuzzer binary; in all others a test that replays tests/fuzz/seeds/<name> and
# tests/fuzz/crashes/<name>, so that what was found once stays found.
function(sluice_fuzz_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;LABELS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${name} PRIVATE sluice_warnings ${arg_LIBS})
  if(SLUICE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz_targets")
    return()
  endif()
  target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc")
  add_test(NAME ${name} COMMAND ${name}
    "${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name}" "${PROJECT_SOURCE_DIR}/tests/fuzz/crashes/${name}")
  _sluice_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}")
endfunction()
