# SPDX-License-Identifier: MIT
# The fuzz harnesses: each is replayed over its corpus by an ordinary test under any compiler, and linked with libFuzzer in the
# build `fuzz` (RINGSIDE_FUZZ), which tests/fuzz/run uses.
set(fuzz_dir ${CMAKE_CURRENT_LIST_DIR})
add_custom_target(fuzz_harnesses) # all with libFuzzer: what the preset `fuzz` builds
function(fuzz_harness name)
    cmake_parse_arguments(F "" "VARIANTS" "MUTATOR;LINK" ${ARGN})
    set(sources ${fuzz_dir}/fuzz_${name}.c)
    foreach(source ${F_MUTATOR})
        list(APPEND sources ${fuzz_dir}/${source})
    endforeach()
    add_executable(replay_${name} ${fuzz_dir}/replay.c ${sources})
    target_link_libraries(replay_${name} PRIVATE ${F_LINK})
    target_compile_definitions(replay_${name} PRIVATE _GNU_SOURCE $<$<BOOL:${F_MUTATOR}>:FUZZ_HAS_MUTATOR>)
    add_test(NAME fuzz.${name} COMMAND replay_${name} --variants ${F_VARIANTS} ${fuzz_dir}/corpus/${name})
    if(RINGSIDE_FUZZ)
        add_executable(fuzz_${name} ${sources})
        target_link_libraries(fuzz_${name} PRIVATE ${F_LINK})
        target_compile_definitions(fuzz_${name} PRIVATE _GNU_SOURCE FUZZ_ONE_USE)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        add_dependencies(fuzz_harnesses fuzz_${name})
    endif()
endfunction()

fuzz_harness(trace VARIANTS 10 MUTATOR mutate_trace.c trace_body.c LINK ringside_trace)
fuzz_harness(kernel VARIANTS 20 LINK ringside_kernel)
fuzz_harness(linux VARIANTS 50 LINK ringside_linux)
fuzz_harness(moo VARIANTS 10 LINK ringside_conform)
fuzz_harness(vga VARIANTS 50 LINK ringside_display)
fuzz_harness(virtio VARIANTS 50 LINK ringside_devices)

# The seeds of fuzz_trace: `cmake --build BUILD --target fuzz_seeds`, after a change of the schema or of what is recorded. With
# RINGSIDE_GUESTS those of a Linux guest too.
add_executable(make_trace_seed EXCLUDE_FROM_ALL ${fuzz_dir}/make_trace_seed.c ${fuzz_dir}/trace_body.c)
target_link_libraries(make_trace_seed PRIVATE ringside_trace PkgConfig::ZSTD)
add_executable(slice_trace EXCLUDE_FROM_ALL ${fuzz_dir}/slice_trace.c)
target_link_libraries(slice_trace PRIVATE ringside_trace)
if(TARGET ringside)
    add_custom_target(fuzz_seeds
        COMMAND ${fuzz_dir}/make_seeds $<TARGET_FILE:ringside> $<TARGET_FILE:make_trace_seed> $<TARGET_FILE:slice_trace>
            ${guest_programs_dir} ${CMAKE_BINARY_DIR}/fault-guests ${fuzz_dir}/corpus/trace
        DEPENDS ringside make_trace_seed slice_trace guest_programs fault_guests)
endif()

# Those of fuzz_kernel: `cmake --build BUILD --target fuzz_kernel_seeds`.
add_executable(make_kernel_seeds EXCLUDE_FROM_ALL ${fuzz_dir}/make_kernel_seeds.c)
target_link_libraries(make_kernel_seeds PRIVATE ringside_kernel)
add_custom_target(fuzz_kernel_seeds COMMAND make_kernel_seeds ${fuzz_dir}/corpus/kernel)
# Those of fuzz_linux: `cmake --build BUILD --target fuzz_linux_seeds`.
add_custom_target(fuzz_linux_seeds COMMAND ${fuzz_dir}/make_linux_seeds ${fuzz_dir}/corpus/linux)
# Those of fuzz_moo: `cmake --build BUILD --target fuzz_moo_seeds`.
add_custom_target(fuzz_moo_seeds COMMAND ${CMAKE_SOURCE_DIR}/tests/moo/make_fixture --seeds ${fuzz_dir}/corpus/moo)
# Those of fuzz_vga: `cmake --build BUILD --target fuzz_vga_seeds`.
add_custom_target(fuzz_vga_seeds COMMAND ${fuzz_dir}/make_vga_seeds ${fuzz_dir}/corpus/vga)
# Those of fuzz_virtio: `cmake --build BUILD --target fuzz_virtio_seeds`.
add_custom_target(fuzz_virtio_seeds COMMAND ${fuzz_dir}/make_virtio_seeds ${fuzz_dir}/corpus/virtio)
