# aoe_module(NAME SOURCES a.cpp.. [DEPS module..] [LIBRARIES target..] [PURE])
#
# One static library aoe_NAME a module, with the modules it may include as its only link
# dependencies: a forbidden include then fails at the include check or at link time. PURE modules
# build without exceptions and run-time types, the cheapest proof that the path of a request
# neither throws nor downcasts.
function(aoe_module name)
  cmake_parse_arguments(ARG "PURE" "" "SOURCES;DEPS;LIBRARIES" ${ARGN})
  add_library(aoe_${name} STATIC ${ARG_SOURCES})
  target_include_directories(aoe_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(aoe_${name} PUBLIC aoe_${dep})
  endforeach()
  target_link_libraries(aoe_${name} PUBLIC ${ARG_LIBRARIES} PRIVATE aoe_warnings)
  if(ARG_PURE)
    target_compile_options(aoe_${name} PRIVATE -fno-exceptions -fno-rtti)
    aoe_precompile(aoe_${name} pure)
  else()
    aoe_precompile(aoe_${name} module)
  endif()
  set_property(GLOBAL APPEND PROPERTY AOE_MODULES ${name})
endfunction()

# aoe_program(NAME SOURCES a.cpp.. DEPS module.. [LIBRARIES target..])
function(aoe_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${name} PRIVATE aoe_${dep})
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} aoe_warnings)
  aoe_precompile(${name} program)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# aoe_unit_test(NAME SOURCES a_test.cpp.. DEPS module..)
# One GTest executable a module; every test case is a ctest of its own.
function(aoe_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${name} PRIVATE aoe_${dep})
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main
                        aoe_warnings aoe_test_warnings aoe_test_options)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  aoe_precompile(${name} test)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  # What can run threads of its own is tested under ThreadSanitizer too (target threads_tests).
  foreach(threaded os storage runtime control client)
    if(threaded IN_LIST ARG_DEPS AND NOT threads IN_LIST ARG_LABELS)
      list(APPEND ARG_LABELS threads)
    endif()
  endforeach()
  if(threads IN_LIST ARG_LABELS)
    set_property(GLOBAL APPEND PROPERTY AOE_THREADS_TESTS ${name})
  endif()
  # gtest_discover_tests loses all but the first entry of a list: several labels become one word,
  # unit-threads, and ./test selects by its parts.
  list(JOIN ARG_LABELS "-" label)
  include(GoogleTest)
  gtest_discover_tests(${name} PROPERTIES LABELS "${label}" DISCOVERY_TIMEOUT 60
                       DISCOVERY_MODE PRE_TEST)
endfunction()
