# SPDX-License-Identifier: MIT
# The stepping and the block engine give the same runs (tests/equality/run --list), the stress guest that they are tried
# on, and the tool that narrows a difference to its instruction.
include(${CMAKE_SOURCE_DIR}/firmware/stress/stress.cmake)
set(stress_images_dir ${CMAKE_BINARY_DIR}/stress)
stress_image(${stress_images_dir}/stress64.elf 64)
stress_image(${stress_images_dir}/stress32.elf 32)
add_custom_target(stress_guest ALL DEPENDS ${stress_images_dir}/stress64.elf ${stress_images_dir}/stress32.elf)

function(equality_test case)
    add_test(NAME equality.${case} COMMAND ${CMAKE_SOURCE_DIR}/tests/equality/run ${case}
        --ringside $<TARGET_FILE:ringside> --stress ${stress_images_dir} --work ${CMAKE_BINARY_DIR}/equality-tests)
    set_tests_properties(equality.${case} PROPERTIES LABELS "equality;${ARGN}" SKIP_RETURN_CODE 77 TIMEOUT 3600)
endfunction()
foreach(vendor intel amd)
    foreach(bits 32 64)
        equality_test(tour${bits}.${vendor})
        equality_test(stress${bits}.${vendor})
    endforeach()
endforeach()
equality_test(boot.cloud-amd64.intel boot slow)
equality_test(boot.686.amd boot slow)
equality_test(boot.cloud-amd64.amd boot slow soak)
equality_test(boot.686.intel boot slow soak)

add_test(NAME equality.bisect COMMAND ${CMAKE_SOURCE_DIR}/tests/equality/bisect_test
    --ringside $<TARGET_FILE:ringside> --stress ${stress_images_dir} --nm ${CMAKE_NM})
set_tests_properties(equality.bisect PROPERTIES LABELS "equality" TIMEOUT 600)
