# The warning set of the project, as one interface target. Both compilers share the first list.
add_library(aoe_warnings INTERFACE)
set(common_warnings
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Wcast-align -Wcast-qual -Woverloaded-virtual -Wnull-dereference
    -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla -Wsuggest-override
    -Wmissing-declarations -Wextra-semi)
set(gcc_warnings -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wuseless-cast)
set(clang_warnings -Wthread-safety -Wglobal-constructors -Wexit-time-destructors)
target_compile_options(aoe_warnings INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:${common_warnings}>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:${gcc_warnings}>
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:${clang_warnings}>)
# Of files that are compiled as one, a local name may hide a constant of another file.
if(NOT AOE_JOIN)
  target_compile_options(aoe_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wshadow>)
endif()
if(AOE_WERROR)
  target_compile_options(aoe_warnings INTERFACE -Werror)
endif()

# GTest's own macros define globals with constructors. Linked after aoe_warnings: the later flag wins.
add_library(aoe_test_warnings INTERFACE)
target_compile_options(aoe_test_warnings INTERFACE
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-global-constructors -Wno-exit-time-destructors>)
