# SPDX-License-Identifier: MIT
# Conformance: every suite on both vendors and both engines, and the runner's own reports.
foreach(engine block step)
    add_test(NAME conform.rules.${engine} COMMAND ringside conform rules --engine ${engine})
    set_tests_properties(conform.rules.${engine} PROPERTIES LABELS "conform" TIMEOUT 600)
endforeach()
# What a processor did, 133,101 times: no difference but those that a row of excuse.def explains.
foreach(engine block step)
    add_test(NAME conform.hardware.${engine} COMMAND ringside conform hardware --engine ${engine})
    set_tests_properties(conform.hardware.${engine} PROPERTIES LABELS "conform" TIMEOUT 600)
endforeach()
# No engine has a part in decoding.
add_test(NAME conform.decoder COMMAND ringside conform decoder)
set_tests_properties(conform.decoder PROPERTIES LABELS "conform" TIMEOUT 900)
# Both sides of every rule are reached by its own cases, but for those that one_sided.def says cannot be.
if(RINGSIDE_COVERAGE)
    foreach(engine block step)
        add_test(NAME rules.coverage.${engine} COMMAND ringside conform rules --coverage --engine ${engine})
        set_tests_properties(rules.coverage.${engine} PROPERTIES LABELS "conform" TIMEOUT 600)
    endforeach()
    # A part of the cases leaves holes, which are named, and exit code 1.
    add_test(NAME rules.coverage.holes
        COMMAND sh -c "$<TARGET_FILE:ringside> conform rules --coverage --filter SC > holes.txt; test $? -eq 1 && grep -q '^not reached: SR-01 fails' holes.txt")
    set_tests_properties(rules.coverage.holes PROPERTIES LABELS "conform")
endif()
# Every rule and every instruction has a test.
add_test(NAME conform.missing COMMAND ringside conform --missing)
set_tests_properties(conform.missing PROPERTIES LABELS "conform")
foreach(case formats jobs selection)
    add_test(NAME conform.${case} COMMAND ${CMAKE_SOURCE_DIR}/tests/conform/run ${case} --ringside $<TARGET_FILE:ringside>)
    set_tests_properties(conform.${case} PROPERTIES LABELS "conform" TIMEOUT 300)
endforeach()

# The corpora once more on a processor that they may have come from; skipped on any other. What a host's
# kernel and hypervisor let through is theirs: so it is a matter of ./dev soak. Not under sanitizers, whose run time shares
# the address space and the state that cases run in.
if(TARGET record_hardware AND NOT RINGSIDE_SANITIZE)
    file(GLOB corpora CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/hardware/*.corpus)
    foreach(corpus ${corpora})
        get_filename_component(name ${corpus} NAME_WE)
        add_test(NAME hardware.verify-${name} COMMAND record_hardware --verify ${corpus})
        set_tests_properties(hardware.verify-${name} PROPERTIES LABELS "conform;soak" SKIP_RETURN_CODE 77 TIMEOUT 300)
    endforeach()
endif()

# Each mutation of tools/mutate still fits the source.
add_test(NAME conform.mutations_fit COMMAND ${CMAKE_SOURCE_DIR}/tools/mutate --check)
set_tests_properties(conform.mutations_fit PROPERTIES LABELS "conform")

# Every row of the instruction table is executed by a case; the corpora carry most of them.
add_test(NAME conform.rows COMMAND ringside conform --rows)
set_tests_properties(conform.rows PROPERTIES LABELS "conform" TIMEOUT 600)

# The cases of the matrix images, as any emulator is asked; Ringside agrees on all, and docs/conformance.md says so.
add_test(NAME matrix.ringside COMMAND ${CMAKE_SOURCE_DIR}/tools/matrix/run --build ${CMAKE_BINARY_DIR} --emulators ringside
    --check ${CMAKE_SOURCE_DIR}/docs/conformance.md)
set_tests_properties(matrix.ringside PROPERTIES LABELS "conform" TIMEOUT 900)
