# aoe_fuzzer(NAME SOURCES a_fuzzer.cpp.. DEPS module.. [MAX_LENGTH bytes])
#
# A harness that defines LLVMFuzzerTestOneInput (declare it by including "fuzz/fuzz_entry.h").
# With AOE_FUZZERS=ON (clang; preset "fuzz") it becomes a libFuzzer program, which
# tests/fuzz/run NAME SECONDS runs. Otherwise the same harness becomes a program that replays files.
# Either way one ctest, label fuzz-corpus, replays corpus/NAME beside the calling CMakeLists.txt
# (NAME without _fuzzer), which must not be empty.
if(AOE_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "AOE_FUZZERS needs clang (cmake --preset fuzz)")
  endif()
  # The modules under test need coverage counters too, hence for every target.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

function(aoe_fuzzer name)
  cmake_parse_arguments(ARG "" "MAX_LENGTH" "SOURCES;DEPS;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${name} PRIVATE aoe_${dep})
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} aoe_warnings)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  string(REGEX REPLACE "_fuzzer$" "" corpus ${name})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${corpus})
  if(AOE_FUZZERS)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    # What tests/fuzz/run needs to know about each harness.
    if(NOT ARG_MAX_LENGTH)
      set(ARG_MAX_LENGTH 4096)
    endif()
    file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/tests/${name}.args
         CONTENT "-max_len=${ARG_MAX_LENGTH}\n${corpus}\n")
    add_test(NAME fuzz-corpus.${name} COMMAND ${name} -runs=0 ${corpus})
  else()
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
    add_test(NAME fuzz-corpus.${name} COMMAND ${name} ${corpus})
  endif()
  set_tests_properties(fuzz-corpus.${name} PROPERTIES LABELS fuzz-corpus)
endfunction()
