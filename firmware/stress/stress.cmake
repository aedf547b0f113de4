# SPDX-License-Identifier: MIT
# The stress guest in both widths, for tests only: stress_image(FILE BITS) builds one Multiboot image. It shares the
# console and the interrupt controllers with the ring tour.
set(stress_dir ${CMAKE_CURRENT_LIST_DIR})
set(stress_flags -ffreestanding -nostdlib -O1 -g0 -std=gnu11 -Wall -Wextra -Werror -fno-pic -fno-pie -fno-stack-protector
    -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mgeneral-regs-only
    -fno-strict-aliasing -fno-toplevel-reorder -mno-red-zone)
set(stress_machine64 -m64)
set(stress_machine32 -m32 -march=i686)
set(stress_emulation64 elf_x86_64)
set(stress_emulation32 elf_i386)

function(stress_image image bits)
    set(common ${CMAKE_SOURCE_DIR}/firmware/tour/common)
    file(GLOB sources CONFIGURE_DEPENDS ${stress_dir}/*.c)
    file(GLOB headers CONFIGURE_DEPENDS ${stress_dir}/*.h ${common}/*.h)
    list(APPEND sources ${stress_dir}/start${bits}.S ${stress_dir}/entry.S ${common}/console.c ${common}/string.c
        ${common}/processor.c ${common}/hardware.c)
    set(objects "")
    foreach(source ${sources})
        get_filename_component(base ${source} NAME)
        set(object ${image}.objects/${base}.o)
        add_custom_command(OUTPUT ${object}
            COMMAND ${CMAKE_COMMAND} -E make_directory ${image}.objects
            COMMAND ${GUEST_COMPILER} ${stress_machine${bits}} ${stress_flags} -c ${source} -o ${object}
            DEPENDS ${source} ${headers} VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    add_custom_command(OUTPUT ${image}
        COMMAND ${GUEST_LINKER} -m ${stress_emulation${bits}} -z noexecstack -z max-page-size=4096
                --no-warn-rwx-segments -T ${stress_dir}/link.ld -o ${image}.linked ${objects}
        COMMAND ${GUEST_OBJCOPY} -O elf32-i386 ${image}.linked ${image} # a Multiboot loader wants ELF32
        DEPENDS ${objects} ${stress_dir}/link.ld VERBATIM)
endfunction()
