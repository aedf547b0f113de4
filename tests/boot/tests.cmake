# SPDX-License-Identifier: MIT
# Boots of unmodified kernels (tests/boot/run --list says what each does). They need the guests of tools/fetch-guests,
# in the directory that the environment variable RINGSIDE_GUESTS names; without them they are skipped and say so.
function(boot_test case)
    add_test(NAME boot.${case} COMMAND ${CMAKE_SOURCE_DIR}/tests/boot/run ${case} --ringside $<TARGET_FILE:ringside>
        --programs ${guest_programs_dir} --work ${CMAKE_BINARY_DIR}/boot-tests)
    # The long ones start first, so that they do not end up alone at the end.
    set_tests_properties(boot.${case} PROPERTIES LABELS "boot;slow;${ARGN}" SKIP_RETURN_CODE 77 TIMEOUT 1800 COST 1000)
endfunction()
boot_test(amd64)
boot_test(686-pae)
boot_test(686)
boot_test(amd)
boot_test(intel)
boot_test(repeat)
boot_test(bare)
boot_test(leave)
boot_test(aware-intel)
boot_test(aware-amd)
boot_test(aware-pti)
boot_test(aware-amd64)
boot_test(aware-686)
boot_test(aware-686-pae)
boot_test(truth)
boot_test(walk-intel)
boot_test(walk-amd)
boot_test(walk-pti)
boot_test(walk-686)
boot_test(no-acpi soak)
