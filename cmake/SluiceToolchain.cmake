# Compiler settings: warnings for Sluice's own targets, sanitizers for the whole build, ccache and mold when they are there.

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SLUICE_CCACHE ccache)
  mark_as_advanced(SLUICE_CCACHE)
  if(SLUICE_CCACHE)
    # Relative to the source tree: a second clone finds what the first has compiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 "${SLUICE_CCACHE}")
  endif()
endif()

# A hundred test programs are linked.
if(PROJECT_IS_TOP_LEVEL)
  find_program(SLUICE_MOLD mold)
  mark_as_advanced(SLUICE_MOLD)
  if(SLUICE_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

add_library(sluice_warnings INTERFACE)
target_compile_options(sluice_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast)
if(SLUICE_WERROR)
  target_compile_options(sluice_warnings INTERFACE -Werror)
endif()
# GCC 12 sees std::vector::insert write past a buffer that it has just grown (GCC bug 105329 and kin).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(sluice_warnings INTERFACE
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
endif()
# The libraries are static: no other definition takes the place of one of their functions at run time. GCC inlines more
# if it is told so.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(SLUICE_LIBRARY_OPTIONS -fno-semantic-interposition)
endif()
if(SLUICE_SANITIZE)
  set(SLUICE_SANITIZE_FLAGS
    -fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_options(${SLUICE_SANITIZE_FLAGS})
  add_link_options(${SLUICE_SANITIZE_FLAGS})
endif()

if(SLUICE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SLUICE_FUZZ needs clang: use the preset 'fuzz'")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
