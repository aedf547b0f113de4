# SPDX-License-Identifier: MIT
# Captures in MOO format: a small set that tests/moo/make_fixture writes, good and bad.
foreach(case good wrong revoked differences damaged)
    add_test(NAME moo.${case} COMMAND ${CMAKE_SOURCE_DIR}/tests/moo/run ${case} --ringside $<TARGET_FILE:ringside>)
    set_tests_properties(moo.${case} PROPERTIES LABELS "conform" TIMEOUT 300)
endforeach()
