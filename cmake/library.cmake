# Defines asyncio_add_library, which makes the library (or a second, static one for the tests).
# SPDX-License-Identifier: MIT
include(GNUInstallDirs)

# Warnings are ours alone: nothing of this reaches who links the library.
function(asyncio_set_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow)
  if(ASYNCIO_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# asyncio_add_library(<target> [STATIC|SHARED]): without a kind, BUILD_SHARED_LIBS decides.
function(asyncio_add_library target)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/src/*.cpp" "${PROJECT_SOURCE_DIR}/src/*.S")
  add_library(${target} ${ARGN} ${sources})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC
      "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
      "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
    PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${target} PUBLIC Threads::Threads)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME asyncio-cpp
    VERSION ${PROJECT_VERSION}
    SOVERSION 0
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  # clang's default: an exported function may be inlined into its neighbours.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  endif()
  if(ASYNCIO_PORTABLE_UNWIND)
    target_compile_definitions(${target} PRIVATE ASYNCIO_PORTABLE_UNWIND)
  endif()
  asyncio_set_warnings(${target})
endfunction()
