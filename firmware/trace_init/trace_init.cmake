# SPDX-License-Identifier: MIT
# The first process of the guests of `ringside trace`, in both widths: freestanding, so that -m32 needs no 32-bit C library.
set(trace_init_dir ${CMAKE_CURRENT_SOURCE_DIR}/trace_init)
foreach(bits 32 64)
    set(program ${CMAKE_CURRENT_BINARY_DIR}/trace_init${bits})
    add_custom_command(OUTPUT ${program}
        COMMAND ${GUEST_COMPILER} -m${bits} -O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -nostdlib
            -static -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -mgeneral-regs-only
            -fno-tree-loop-distribute-patterns -Wl,--build-id=none -s
            -o ${program} ${trace_init_dir}/start.S ${trace_init_dir}/init.c
        DEPENDS ${trace_init_dir}/start.S ${trace_init_dir}/init.c ${trace_init_dir}/system.h ${trace_init_dir}/protocol.h
        VERBATIM)
    firmware_embed(trace_init${bits} ${program})
endforeach()
