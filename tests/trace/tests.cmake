# SPDX-License-Identifier: MIT
# Programs traced on unmodified kernels (tests/trace/run --list). They need the guests of tools/fetch-guests, in the
# directory that the environment variable RINGSIDE_GUESTS names; without them they are skipped and say so.
foreach(case static64 static32 kernel32 ends streams dynamic select failures terminal)
    add_test(NAME trace.${case} COMMAND ${CMAKE_SOURCE_DIR}/tests/trace/run ${case} --ringside $<TARGET_FILE:ringside>
        --programs ${guest_programs_dir} --work ${CMAKE_BINARY_DIR}/trace-tests)
    set_tests_properties(trace.${case} PROPERTIES LABELS "boot;slow" SKIP_RETURN_CODE 77 TIMEOUT 1800 COST 500)
endforeach()
