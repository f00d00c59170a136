# What a program that uses libaoe needs: the library (component libaoe), and to build it the headers,
# libaoe.pc, and a package for find_package(aoe), whose target is aoe::aoe (component libaoe-dev).
include(CMakePackageConfigHelpers)

install(TARGETS aoe_shared EXPORT aoe
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    COMPONENT libaoe NAMELINK_COMPONENT libaoe-dev)
install(FILES ${CMAKE_SOURCE_DIR}/include/aoe/aoe.h ${CMAKE_SOURCE_DIR}/include/aoe/aoe.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/aoe COMPONENT libaoe-dev)

# Relative, so that it is right wherever the installation is put (cmake --install --prefix, DESTDIR).
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
configure_file(libaoe.pc.in libaoe.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libaoe.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT libaoe-dev)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/aoe)
install(EXPORT aoe FILE aoe-config.cmake NAMESPACE aoe:: DESTINATION ${package_directory}
  COMPONENT libaoe-dev)
write_basic_package_version_file(aoe-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/aoe-config-version.cmake
  DESTINATION ${package_directory} COMPONENT libaoe-dev)
