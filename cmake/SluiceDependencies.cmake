# Finds what Sluice is built on; third_party/README.md says what each is for. Dependencies without a CMake package
# come as imported targets named Sluice::<what>.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(tl-expected REQUIRED)

# sluice_pkg(usrsctp usrsctp) makes Sluice::usrsctp from the pkg-config module of the same name.
function(sluice_pkg name)
  string(TOUPPER "SLUICE_${name}" prefix)
  pkg_check_modules(${prefix} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${ARGN})
  add_library(Sluice::${name} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(Sluice::${name} INTERFACE PkgConfig::${prefix})
endfunction()

# Debian builds libsrtp2 on NSS: a context costs a hundred times what it costs on OpenSSL. third_party/build_libsrtp
# makes one on OpenSSL from the same source, its symbols renamed so that a host may have a libsrtp of its own.
set(SLUICE_LIBSRTP_ROOT "" CACHE PATH
  "Where third_party/build_libsrtp put its libsrtp; empty: third_party/libsrtp in the build tree, or Sluice's build/")
if(SLUICE_SRTP)
  set(SLUICE_LIBSRTP_FOLDER)
  foreach(folder IN ITEMS "${SLUICE_LIBSRTP_ROOT}" "${CMAKE_BINARY_DIR}/third_party/libsrtp"
      "${PROJECT_SOURCE_DIR}/build/third_party/libsrtp")
    if(NOT SLUICE_LIBSRTP_FOLDER AND folder AND EXISTS "${folder}/lib/libsluice_srtp2.a")
      set(SLUICE_LIBSRTP_FOLDER "${folder}")
    endif()
    if(SLUICE_LIBSRTP_ROOT)
      break() # a folder that was named is the only one
    endif()
  endforeach()
  set(SLUICE_LIBSRTP_FOUND "${SLUICE_LIBSRTP}")
  if(NOT SLUICE_LIBSRTP_FOUND)
    if(SLUICE_LIBSRTP_FOLDER)
      set(SLUICE_LIBSRTP_FOUND bundled)
    else()
      set(SLUICE_LIBSRTP_FOUND system)
    endif()
  endif()
  if(SLUICE_LIBSRTP_FOUND STREQUAL "bundled")
    if(NOT SLUICE_LIBSRTP_FOLDER)
      message(FATAL_ERROR "SLUICE_LIBSRTP=bundled, but there is no libsrtp on OpenSSL: run "
        "${PROJECT_SOURCE_DIR}/third_party/build_libsrtp ${CMAKE_BINARY_DIR}/third_party/libsrtp")
    endif()
    add_library(Sluice::srtp2 STATIC IMPORTED GLOBAL)
    set_target_properties(Sluice::srtp2 PROPERTIES
      IMPORTED_LOCATION "${SLUICE_LIBSRTP_FOLDER}/lib/libsluice_srtp2.a")
    target_include_directories(Sluice::srtp2 SYSTEM INTERFACE "${SLUICE_LIBSRTP_FOLDER}/include")
    target_compile_options(Sluice::srtp2 INTERFACE
      "SHELL:-include ${SLUICE_LIBSRTP_FOLDER}/include/sluice_srtp2_rename.h")
    target_link_libraries(Sluice::srtp2 INTERFACE OpenSSL::Crypto)
    set(SLUICE_SRTP2_PKG_REQUIRES "libcrypto >= 3.0.0")
    set(SLUICE_SRTP2_PKG_LIBS -lsluice_srtp2)
  elseif(SLUICE_LIBSRTP_FOUND STREQUAL "system")
    sluice_pkg(srtp2 libsrtp2)
    set(SLUICE_SRTP2_PKG_REQUIRES libsrtp2)
    set(SLUICE_SRTP2_PKG_LIBS)
  else()
    message(FATAL_ERROR "SLUICE_LIBSRTP is '${SLUICE_LIBSRTP}', not bundled or system")
  endif()
  if(SLUICE_LIBSRTP_FOUND STREQUAL "bundled")
    message(STATUS "libsrtp: bundled, in ${SLUICE_LIBSRTP_FOLDER}")
  else()
    message(STATUS "libsrtp: system")
  endif()
  # RFC 9335, from libsrtp 2.8.0 on. Looked up each time: third_party/build_libsrtp may have built a newer one.
  include(CheckCXXSourceCompiles)
  unset(SLUICE_LIBSRTP_CRYPTEX CACHE)
  set(CMAKE_REQUIRED_LIBRARIES Sluice::srtp2)
  set(CMAKE_REQUIRED_QUIET ON)
  check_cxx_source_compiles("
    #include <srtp2/srtp.h>
    int main() { return srtp_set_stream_use_cryptex(nullptr, nullptr, 1) == srtp_err_status_ok; }"
    SLUICE_LIBSRTP_CRYPTEX)
  unset(CMAKE_REQUIRED_LIBRARIES)
  unset(CMAKE_REQUIRED_QUIET)
  if(SLUICE_LIBSRTP_CRYPTEX)
    message(STATUS "libsrtp: with cryptex")
  else()
    message(STATUS "libsrtp: without cryptex (2.8.0 and newer have it)")
  endif()
endif()

if(SLUICE_NICE)
  pkg_check_modules(SLUICE_LIBNICE QUIET nice glib-2.0)
  if(NOT SLUICE_LIBNICE_FOUND)
    message(FATAL_ERROR "sluice::nice needs libnice (Debian: libnice-dev); without it configure with -DSLUICE_NICE=OFF")
  endif()
  sluice_pkg(libnice nice glib-2.0)
endif()

if(SLUICE_DATA_CHANNEL)
  sluice_pkg(usrsctp usrsctp)
endif()

if(SLUICE_SESSION_STORES)
  sluice_pkg(lmdb lmdb)
  sluice_pkg(hiredis hiredis)
endif()

if(SLUICE_INTEROP)
  find_package(CLI11 REQUIRED)
  if(SLUICE_TRANSPORT AND SLUICE_DATA_CHANNEL)
    sluice_pkg(httplib cpp-httplib)
    sluice_pkg(gstreamer_sdp gstreamer-sdp-1.0)
    if(NOT TARGET Sluice::hiredis)
      sluice_pkg(hiredis hiredis)
    endif()
    sluice_pkg(ogg ogg)
    find_package(nlohmann_json REQUIRED)
  endif()
endif()

if(SLUICE_TESTS)
  find_package(GTest REQUIRED)
  find_package(nlohmann_json REQUIRED)
endif()

if(SLUICE_BENCH AND NOT SLUICE_FUZZ)
  find_package(benchmark REQUIRED)
  find_package(nlohmann_json REQUIRED)
  find_package(CLI11 REQUIRED)
  sluice_pkg(gnutls gnutls)
endif()
