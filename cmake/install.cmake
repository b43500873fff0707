# Installs headers, library, CMake package and pkg-config module; all of it may be moved afterwards.
# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/asyncio-cpp")

install(TARGETS asyncio
  EXPORT asyncio-cpp-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/asyncio"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp")
install(EXPORT asyncio-cpp-targets NAMESPACE asyncio:: DESTINATION "${package_dir}")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/asyncio-cpp-config.cmake.in"
  "${PROJECT_BINARY_DIR}/asyncio-cpp-config.cmake"
  INSTALL_DESTINATION "${package_dir}"
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may break what uses the old one.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/asyncio-cpp-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/asyncio-cpp-config.cmake"
  "${PROJECT_BINARY_DIR}/asyncio-cpp-config-version.cmake"
  DESTINATION "${package_dir}")

# pkg-config finds the prefix from where the module lies, so that a moved prefix still works.
# An absolute directory was asked for by name and is taken as it is.
set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH pc_up "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
  string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
  set(pc_prefix "\${pcfiledir}/${pc_up}")
endif()
foreach(dir IN ITEMS LIBDIR INCLUDEDIR)
  set(pc_${dir} "${CMAKE_INSTALL_${dir}}")
  if(NOT IS_ABSOLUTE "${pc_${dir}}")
    set(pc_${dir} "\${prefix}/${pc_${dir}}")
  endif()
endforeach()
configure_file("${PROJECT_SOURCE_DIR}/cmake/asyncio-cpp.pc.in"
  "${PROJECT_BINARY_DIR}/asyncio-cpp.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/asyncio-cpp.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
