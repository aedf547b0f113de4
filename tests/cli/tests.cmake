# SPDX-License-Identifier: MIT
# The command line with bad input: one clear line on stderr, and the exit code of docs/cli.md.
foreach(case usage files disk kernel)
    add_test(NAME cli.${case} COMMAND ${CMAKE_SOURCE_DIR}/tests/cli/run ${case} --ringside $<TARGET_FILE:ringside>)
    set_tests_properties(cli.${case} PROPERTIES LABELS "cli" SKIP_RETURN_CODE 77 TIMEOUT 120)
endforeach()
# The monitor of a running machine.
foreach(case stdio record idle live_trace terminal)
    add_test(NAME cli.monitor.${case}
        COMMAND ${CMAKE_SOURCE_DIR}/tests/cli/monitor ${case} --ringside $<TARGET_FILE:ringside>)
    set_tests_properties(cli.monitor.${case} PROPERTIES LABELS "cli" TIMEOUT 300)
endforeach()
