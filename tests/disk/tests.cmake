# SPDX-License-Identifier: MIT
# Boots by firmware (tests/disk/run). Those that need media of tools/fetch-guests are skipped without them, and say so.
foreach(case grub replay images floppy memtest debian installer)
    add_test(NAME disk.${case} COMMAND ${CMAKE_CURRENT_LIST_DIR}/run ${case} --ringside $<TARGET_FILE:ringside>
        --work ${CMAKE_BINARY_DIR}/disk-tests)
    set_tests_properties(disk.${case} PROPERTIES LABELS "boot;slow" SKIP_RETURN_CODE 77 TIMEOUT 1800 COST 900)
endforeach()
# Its packages are large: tools/fetch-guests takes them when RINGSIDE_SOAK is set, as ./dev soak does.
set_tests_properties(disk.installer PROPERTIES LABELS "boot;slow;soak")
