# aoe_compat_program(PACKAGE NAMES command.. SOURCES a.cpp.. DEPS module.. [LIBRARIES target..])
#
# One program for all commands of an older package: it is called by the links named NAMES and does
# what its name says (src/compat/program.h). The links stand in BUILD/compat, not in BUILD/bin, so that
# tests can still run the programs of those names that the machine has; check_docs.py looks at each.
function(aoe_compat_program package)
  cmake_parse_arguments(ARG "" "" "NAMES;SOURCES;DEPS;LIBRARIES" ${ARGN})
  set(program aoe-compat-${package})
  add_executable(${program} ${ARG_SOURCES})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${program} PRIVATE aoe_${dep})
  endforeach()
  target_link_libraries(${program} PRIVATE ${ARG_LIBRARIES} aoe_warnings)
  aoe_precompile(${program} program)
  set_target_properties(${program} PROPERTIES
    OUTPUT_NAME ${package} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec/aoekit)
  set(component COMPONENT compat-${package})
  install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/aoekit ${component})
  # From the folder of the links to that of the program, both below the prefix.
  file(RELATIVE_PATH installed ${CMAKE_INSTALL_FULL_SBINDIR}
       ${CMAKE_INSTALL_FULL_LIBEXECDIR}/aoekit/${package})
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/compat ${CMAKE_CURRENT_BINARY_DIR}/links)
  foreach(name IN LISTS ARG_NAMES)
    file(CREATE_LINK ../libexec/aoekit/${package} ${CMAKE_BINARY_DIR}/compat/${name} SYMBOLIC)
    file(CREATE_LINK ${installed} ${CMAKE_CURRENT_BINARY_DIR}/links/${name} SYMBOLIC)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/links/${name} DESTINATION ${CMAKE_INSTALL_SBINDIR}
            ${component})
  endforeach()
endfunction()
