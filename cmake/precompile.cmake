# aoe_precompile(TARGET KIND)
#
# Headers that many files read are read once a build, one precompiled header a KIND of target: pure, module,
# program and test differ in their options, and a precompiled header must be compiled like its users. Most of
# the time of a build goes into those headers: without this it takes more than twice as long.
#
# A file includes what it uses all the same; the preset `clang`, which has no precompiled headers, and the
# header check show it when one does not.
option(AOE_PRECOMPILE "Precompile the standard headers for modules and programs too" ON)

set(AOE_PRECOMPILED_pure <algorithm> <array> <cstring> <functional> <optional> <span> <string> <string_view>
    <tl/expected.hpp> <utility> <variant> <vector>)
set(AOE_PRECOMPILED_module ${AOE_PRECOMPILED_pure} <chrono> <fmt/format.h> <map> <memory> <nlohmann/json.hpp>)
set(AOE_PRECOMPILED_program ${AOE_PRECOMPILED_module})
set(AOE_PRECOMPILED_test <algorithm> <chrono> <filesystem> <fmt/format.h> <fstream> <functional>
    <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp> <tl/expected.hpp>)

function(aoe_precompile target kind)
  if(NOT kind STREQUAL test AND NOT AOE_PRECOMPILE)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  if(sources MATCHES "\\.c(;|$)")  # CMake 3.25 cannot reuse them beside C
    return()
  endif()
  set(headers aoe_${kind}_headers)
  if(NOT TARGET ${headers})
    # Compiled as what it is for: position independent as a library or as a program.
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${kind}_headers.cpp CONTENT "int main() {}\n")
    if(kind MATCHES "pure|module")
      add_library(${headers} STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/${kind}_headers.cpp)
    else()
      add_executable(${headers} EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/${kind}_headers.cpp)
    endif()
    target_link_libraries(${headers} PRIVATE aoe_warnings)
    if(kind STREQUAL test)
      target_link_libraries(${headers} PRIVATE GTest::gmock aoe_test_warnings aoe_test_options
        tl::expected fmt::fmt nlohmann_json::nlohmann_json)
    elseif(kind STREQUAL pure)
      target_link_libraries(${headers} PRIVATE tl::expected)
      target_compile_options(${headers} PRIVATE -fno-exceptions -fno-rtti)
    else()
      target_link_libraries(${headers} PRIVATE tl::expected fmt::fmt nlohmann_json::nlohmann_json)
    endif()
    # Else every new one would be another one for ccache.
    target_compile_options(${headers} PRIVATE
      "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
    set_target_properties(${headers} PROPERTIES PCH_WARN_INVALID OFF)
    target_precompile_headers(${headers} PRIVATE ${AOE_PRECOMPILED_${kind}})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${headers})
  # One that cannot be used costs time only: the compiler reads the headers themselves then.
  set_target_properties(${target} PROPERTIES PCH_WARN_INVALID OFF)
endfunction()
