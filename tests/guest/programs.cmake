# SPDX-License-Identifier: MIT
# The guest programs: freestanding, so that -m32 needs no 32-bit C library; the project's own flags do not apply.
set(guest_dir ${CMAKE_CURRENT_LIST_DIR})
set(guest_programs_dir ${CMAKE_BINARY_DIR}/guest-programs)
set(guest_programs "")
function(guest_program name source width)
    set(out ${guest_programs_dir}/${name})
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${guest_programs_dir}
        COMMAND ${GUEST_COMPILER} -m${width} -O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -nostdlib
            -static -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wl,--build-id=none
            -o ${out} ${guest_dir}/start.S ${guest_dir}/start.c ${guest_dir}/${source}
        DEPENDS ${guest_dir}/start.S ${guest_dir}/start.c ${guest_dir}/${source} ${guest_dir}/guest.h ${guest_dir}/marker.h)
    set(guest_programs ${guest_programs} ${out} PARENT_SCOPE)
endfunction()
guest_program(calls64 calls.c 64)
guest_program(calls32 calls.c 32)
guest_program(hello32 hello.c 32)
add_custom_target(guest_programs ALL DEPENDS ${guest_programs})
