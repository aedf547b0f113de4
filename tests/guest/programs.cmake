# SPDX-License-Identifier: MIT
# The guest programs: freestanding, so that -m32 needs no 32-bit C library; the project's own flags do not apply. The kernel's
# headers (asm/unistd.h) serve both widths.
set(guest_dir ${CMAKE_CURRENT_LIST_DIR})
set(guest_programs_dir ${CMAKE_BINARY_DIR}/guest-programs)
set(guest_programs "")
file(GLOB guest_headers CONFIGURE_DEPENDS ${guest_dir}/*.h ${guest_dir}/exercise/*.h)
function(guest_program name width) # sources
    set(out ${guest_programs_dir}/${name})
    set(sources ${guest_dir}/start.S ${guest_dir}/start.c)
    foreach(source ${ARGN})
        list(APPEND sources ${guest_dir}/${source})
    endforeach()
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${guest_programs_dir}
        COMMAND ${GUEST_COMPILER} -m${width} -O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -nostdlib
            -static -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wl,--build-id=none
            -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -o ${out} ${sources}
        DEPENDS ${sources} ${guest_headers})
    set(guest_programs ${guest_programs} ${out} PARENT_SCOPE)
endfunction()
guest_program(calls64 64 calls.c)
guest_program(calls32 32 calls.c)
guest_program(hello32 32 hello.c)
guest_program(walk64 64 walk.c)
guest_program(walk32 32 walk.c)
set(exercise "")
foreach(part main files descriptors sockets memory signals processes)
    list(APPEND exercise exercise/${part}.c)
endforeach()
guest_program(exercise64 64 ${exercise})
guest_program(exercise32 32 ${exercise})
add_custom_target(guest_programs ALL DEPENDS ${guest_programs})
