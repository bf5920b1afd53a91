# One CMake target per folder.
#
#   sluice_folder(dtls_schedule
#     SOURCES keys12.cc keys13.cc      # none: the folder has only headers
#     DEPENDS dtls_crypto              # the arrows of the design: other folders
#     LIBS OpenSSL::Crypto)            # libraries from outside
#
# makes the OBJECT library sluice_dtls_schedule. Its include path holds <module>/include and <module>/src, where the
# module is the nearest folder above that has an include/ (dtls, ice_glue/transport): public headers are included as
# <sluice/dtls/error.h>, internal ones as "wire/reader.h". Which folder may include which is checked by tests/structure.
#
#   sluice_library(dtls
#     DESCRIPTION "DTLS engine, sans-IO"  # for pkg-config
#     FOLDERS dtls_wire dtls_crypto    # and/or SOURCES a.cc b.cc
#     PUBLIC tl::expected              # what the public headers need
#     PRIVATE OpenSSL::Crypto          # what only the code needs
#     PKG_REQUIRES "libcrypto >= 3.0"  # the same for pkg-config
#     PKG_LIBS -lfoo)
#
# For libsrtp2: PRIVATE Sluice::srtp2, PKG_REQUIRES ${SLUICE_SRTP2_PKG_REQUIRES}, PKG_LIBS ${SLUICE_SRTP2_PKG_LIBS}.
#
# makes the static library sluice_dtls (sluice::dtls), which is installed with its headers, and the target
# sluice_dtls_internal for unit tests that include internal headers.
#
#   sluice_library_group(ice_glue
#     DESCRIPTION "..."
#     LIBRARIES transport nice)
#
# makes sluice::ice_glue, one name for several libraries.
#
#   sluice_sources(sluice_demo          # a target of yours
#     media: media_echo.cc rtp_packet.cc
#     sdp: sdp_answer.cc sdp_offer.cc)
#
# adds sources to a target, in named groups: a unity build compiles a group as one file, so that a new file changes its
# own group and no other. Without names all are one group. A group has at most eight files. SOURCES above, and those of
# sluice_test(), take the same names.

function(sluice_sources target)
  set(group all)
  foreach(item IN LISTS ARGN)
    if(item MATCHES "^([a-z0-9_]+):$")
      set(group "${CMAKE_MATCH_1}")
      continue()
    endif()
    list(APPEND files_of_${group} "${item}")
    list(LENGTH files_of_${group} count)
    if(count GREATER 8)
      message(FATAL_ERROR "${target}: the group '${group}' has more than eight sources; name another (cmake/SluiceFolder.cmake)")
    endif()
    target_sources(${target} PRIVATE "${item}")
    set_source_files_properties("${item}" PROPERTIES UNITY_GROUP "${group}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
endfunction()

# The module that the present folder belongs to: the nearest folder that has an include/.
function(_sluice_module_root out)
  set(folder "${CMAKE_CURRENT_SOURCE_DIR}")
  while(NOT IS_DIRECTORY "${folder}/include")
    if(folder STREQUAL PROJECT_SOURCE_DIR)
      message(FATAL_ERROR "${CMAKE_CURRENT_SOURCE_DIR} belongs to no module: no folder above it has an include/")
    endif()
    cmake_path(GET folder PARENT_PATH folder)
  endwhile()
  set(${out} "${folder}" PARENT_SCOPE)
endfunction()

function(sluice_folder name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sluice_folder(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  _sluice_module_root(root)
  list(TRANSFORM arg_DEPENDS PREPEND sluice_)

  if(NOT arg_SOURCES)
    add_library(sluice_${name} INTERFACE)
    target_include_directories(sluice_${name} INTERFACE "${root}/include" "${root}/src")
    target_link_libraries(sluice_${name} INTERFACE ${arg_DEPENDS} ${arg_LIBS})
    return()
  endif()
  add_library(sluice_${name} OBJECT)
  sluice_sources(sluice_${name} ${arg_SOURCES})
  target_include_directories(sluice_${name} PUBLIC "${root}/include" "${root}/src")
  target_link_libraries(sluice_${name} PUBLIC tl::expected ${arg_DEPENDS} ${arg_LIBS} PRIVATE sluice_warnings)
  target_compile_options(sluice_${name} PRIVATE ${SLUICE_LIBRARY_OPTIONS})
endfunction()

function(sluice_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION" "SOURCES;FOLDERS;PUBLIC;PRIVATE;PKG_REQUIRES;PKG_LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sluice_library(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  _sluice_module_root(root)
  set(target sluice_${name})

  add_library(${target} STATIC)
  sluice_sources(${target} ${arg_SOURCES})
  add_library(sluice::${name} ALIAS ${target})
  foreach(folder IN LISTS arg_FOLDERS)
    get_target_property(type sluice_${folder} TYPE)
    if(type STREQUAL "OBJECT_LIBRARY")
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:sluice_${folder}>)
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${SLUICE_LIBRARY_OPTIONS})
  target_include_directories(${target}
    PUBLIC "$<BUILD_INTERFACE:${root}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
    PRIVATE "${root}/src")
  target_link_libraries(${target}
    PUBLIC ${arg_PUBLIC}
    PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:sluice_warnings>)

  add_library(${target}_internal INTERFACE)
  target_include_directories(${target}_internal INTERFACE "${root}/src")
  target_link_libraries(${target}_internal INTERFACE ${target} ${arg_PRIVATE})

  if(SLUICE_INSTALL)
    install(TARGETS ${target} EXPORT sluice-${name} ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    install(DIRECTORY "${root}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
    sluice_install_package_files(${name} "${arg_DESCRIPTION}" "${arg_PKG_REQUIRES}" "-lsluice_${name};${arg_PKG_LIBS}")
  endif()
endfunction()

function(sluice_library_group name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION" "LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sluice_library_group(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  list(TRANSFORM arg_LIBRARIES PREPEND sluice_ OUTPUT_VARIABLE targets)
  list(TRANSFORM arg_LIBRARIES PREPEND sluice- OUTPUT_VARIABLE packages)
  list(TRANSFORM packages REPLACE "_" "-")
  add_library(sluice_${name} INTERFACE)
  add_library(sluice::${name} ALIAS sluice_${name})
  set_target_properties(sluice_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(sluice_${name} INTERFACE ${targets})
  set_property(GLOBAL PROPERTY SLUICE_GROUP_${name} "${arg_LIBRARIES}")
  if(SLUICE_INSTALL)
    install(TARGETS sluice_${name} EXPORT sluice-${name})
    sluice_install_package_files(${name} "${arg_DESCRIPTION}" "${packages}" "")
  endif()
endfunction()
