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
                        aoe_warnings aoe_test_warnings)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  include(GoogleTest)
  gtest_discover_tests(${name} PROPERTIES LABELS "${ARG_LABELS}" DISCOVERY_TIMEOUT 60
                       DISCOVERY_MODE PRE_TEST)
endfunction()
