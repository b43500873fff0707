# Compiles through ccache where it is installed and nobody chose another launcher.
# SPDX-License-Identifier: MIT
find_program(ASYNCIO_CCACHE ccache)
if(ASYNCIO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for before it caches with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros "${ASYNCIO_CCACHE}")
endif()
