# aoe_bats_tests(LABEL)
#
# Every .bats file of the calling folder becomes one ctest LABEL.NAME; ./test counts the tests inside
# it by the TAP file that tests/support/run_bats leaves in BUILD/taps. A file whose tests all skip
# counts as skipped here (status 77).
function(aoe_bats_tests label)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.bats)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    add_test(NAME ${label}.${name}
             COMMAND ${CMAKE_SOURCE_DIR}/tests/support/run_bats ${file}
                     ${CMAKE_BINARY_DIR}/taps/${label}.${name}.tap)
    set_tests_properties(${label}.${name} PROPERTIES
      LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 14700
      # Two processors: target and initiator. Timing tests suffer when every core runs a test.
      PROCESSORS 2
      ENVIRONMENT "AOE_BIN=${CMAKE_BINARY_DIR}/bin;AOE_SANITIZE=${AOE_SANITIZE}")
  endforeach()
endfunction()
