# Install rules: the libraries, their headers, find_package(sluice COMPONENTS ...) and one pkg-config file each. Only
# included when SLUICE_INSTALL is ON.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(SLUICE_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/sluice")
set(SLUICE_PKGCONFIG_DIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# How find_package and pkg-config find the library `name`. Each has an export set of its own, so that a user of
# sluice::dtls alone needs no libnice.
function(sluice_install_package_files name description pkg_requires pkg_libs)
  install(EXPORT sluice-${name} NAMESPACE sluice:: FILE sluice-${name}-targets.cmake
    DESTINATION "${SLUICE_CMAKE_DIR}")

  string(REPLACE "_" "-" dashed "${name}")
  list(JOIN pkg_requires ", " PKG_REQUIRES)
  list(JOIN pkg_libs " " PKG_LIBS)
  set(PKG_NAME "sluice-${dashed}")
  set(PKG_DESCRIPTION "${description}")
  # The prefix is found from the file's own place, so that an installed tree may be moved.
  file(RELATIVE_PATH PKG_PREFIX "/${SLUICE_PKGCONFIG_DIR}" "/")
  string(REGEX REPLACE "/$" "" PKG_PREFIX "${PKG_PREFIX}")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/sluice.pc.in" "${PROJECT_BINARY_DIR}/pkgconfig/${PKG_NAME}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/pkgconfig/${PKG_NAME}.pc" DESTINATION "${SLUICE_PKGCONFIG_DIR}")
endfunction()

function(sluice_install_package)
  get_property(SLUICE_ICE_GLUE_LIBRARIES GLOBAL PROPERTY SLUICE_GROUP_ice_glue)
  configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/sluice-config.cmake.in"
    "${PROJECT_BINARY_DIR}/sluice-config.cmake"
    INSTALL_DESTINATION "${SLUICE_CMAKE_DIR}"
    PATH_VARS CMAKE_INSTALL_LIBDIR)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/sluice-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
  install(FILES
    "${PROJECT_BINARY_DIR}/sluice-config.cmake"
    "${PROJECT_BINARY_DIR}/sluice-config-version.cmake"
    DESTINATION "${SLUICE_CMAKE_DIR}")
  if(TARGET sluice_srtp AND SLUICE_LIBSRTP_FOUND STREQUAL "bundled")
    install(FILES "${SLUICE_LIBSRTP_FOLDER}/lib/libsluice_srtp2.a" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    install(FILES "${SLUICE_LIBSRTP_FOLDER}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME LICENSE.libsrtp)
  endif()
endfunction()
