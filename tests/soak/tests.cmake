# SPDX-License-Identifier: MIT
# What reading a long recording costs: of 400,000 events by every check, of ten million, with a bound on the time to the first
# lines, by `./dev soak`.
function(big_trace_test name)
    add_test(NAME big.${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/soak/big_trace --ringside $<TARGET_FILE:ringside>
        --programs ${guest_programs_dir} --work ${CMAKE_BINARY_DIR}/big-trace/${name} ${ARGN})
    set_tests_properties(big.${name} PROPERTIES LABELS "boot;slow" SKIP_RETURN_CODE 77 TIMEOUT 1800)
endfunction()
# A sanitizer takes memory of its own, which is not what is bounded here.
if(NOT RINGSIDE_SANITIZE)
    big_trace_test(trace --events 400000)
    big_trace_test(long --timed)
    set_tests_properties(big.long PROPERTIES LABELS "boot;slow;soak" RUN_SERIAL ON)
endif()
