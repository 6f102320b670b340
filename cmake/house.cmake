# The house rules: a folder's headers can be included only by folders that link its library.

# Builds the rooms that exist so far, in order.
function(adit_rooms)
  foreach(room IN LISTS ARGN)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${room}/CMakeLists.txt)
      add_subdirectory(${room})
    endif()
  endforeach()
endfunction()

add_library(adit_flags INTERFACE)
target_compile_definitions(adit_flags INTERFACE _GNU_SOURCE ADIT_VERSION="${PROJECT_VERSION}")
target_compile_options(adit_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wno-unused-parameter
  $<$<BOOL:${ADIT_WERROR}>:-Werror>)

# adit_library(NAME SOURCES a.c … LINKS base … SYSTEM PkgConfig::X …)
# Users of NAME may write #include "NAME/header.h": the include path holds that one folder and no other.
function(adit_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;SYSTEM" ${ARGN})
  set(door ${CMAKE_BINARY_DIR}/house/${name})
  file(MAKE_DIRECTORY ${door})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${door}/${name} SYMBOLIC)
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${door})
  target_link_libraries(${name} PRIVATE adit_flags ${arg_LINKS} ${arg_SYSTEM})
endfunction()

# adit_program(NAME SOURCES a.c … LINKS base … SYSTEM …)
function(adit_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;SYSTEM" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE adit_flags ${arg_LINKS} ${arg_SYSTEM})
endfunction()
