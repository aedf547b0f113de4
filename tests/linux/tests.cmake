# SPDX-License-Identifier: MIT
# System calls as strace prints them: a program makes calls and prints them itself, strace watches it.
file(GLOB linux_exercise CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
add_executable(linux_exercise ${linux_exercise})
# 32-bit calls need addresses below 4 GiB.
target_compile_options(linux_exercise PRIVATE -fno-pie)
target_compile_definitions(linux_exercise PRIVATE _GNU_SOURCE)
target_link_options(linux_exercise PRIVATE -no-pie)
target_link_libraries(linux_exercise PRIVATE ringside_linux)
# Sanitizers make calls of their own and do not bear being traced; the printer is under them in unit.test_linux_print.
if(NOT RINGSIDE_SANITIZE)
    foreach(part files processes sockets i386)
        add_test(NAME linux.${part} COMMAND ${CMAKE_CURRENT_LIST_DIR}/check $<TARGET_FILE:linux_exercise> ${part})
        set_tests_properties(linux.${part} PROPERTIES SKIP_RETURN_CODE 77)
    endforeach()
endif()
