# SPDX-License-Identifier: MIT
# Video modes as SeaVGABIOS sets them, seen in the pictures of --screendump.
set(video_sector ${CMAKE_BINARY_DIR}/video-tests/modes.bin)
add_custom_command(OUTPUT ${video_sector}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/video-tests
    COMMAND ${GUEST_COMPILER} -m32 -c -o ${video_sector}.o ${CMAKE_CURRENT_LIST_DIR}/modes.S
    COMMAND ${GUEST_LINKER} -m elf_i386 -Ttext 0x7c00 --oformat binary -o ${video_sector} ${video_sector}.o
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/modes.S)
add_custom_target(video_sector ALL DEPENDS ${video_sector})
add_test(NAME video.modes COMMAND ${CMAKE_CURRENT_LIST_DIR}/run --ringside $<TARGET_FILE:ringside> --sector ${video_sector}
    --work ${CMAKE_BINARY_DIR}/video-tests)
set_tests_properties(video.modes PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1800)
