# SPDX-License-Identifier: MIT
# The ring tour: freestanding guests that go through every privilege transition and check what they see.
set(tour_dir ${CMAKE_CURRENT_SOURCE_DIR}/tour)
set(tour_flags -ffreestanding -nostdlib -O1 -g0 -std=gnu11 -Wall -Wextra -Werror -fno-pic -fno-pie -fno-stack-protector
    -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mgeneral-regs-only
    -fno-strict-aliasing -fno-toplevel-reorder -mno-red-zone)

# tour_image(NAME MACHINE LINKER-EMULATION): one Multiboot image from common/ and NAME/, at ${CMAKE_CURRENT_BINARY_DIR}/NAME.elf
function(tour_image name machine emulation)
    file(GLOB sources CONFIGURE_DEPENDS ${tour_dir}/common/*.c ${tour_dir}/${name}/*.c ${tour_dir}/${name}/*.S)
    file(GLOB headers CONFIGURE_DEPENDS ${tour_dir}/common/*.h ${tour_dir}/${name}/*.h)
    set(objects "")
    foreach(source ${sources})
        get_filename_component(base ${source} NAME)
        set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}/${base}.o)
        add_custom_command(OUTPUT ${object}
            COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/${name}
            COMMAND ${GUEST_COMPILER} ${machine} ${tour_flags} -c ${source} -o ${object}
            DEPENDS ${source} ${headers} VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    set(image ${CMAKE_CURRENT_BINARY_DIR}/${name}.elf)
    add_custom_command(OUTPUT ${image}
        COMMAND ${GUEST_LINKER} -m ${emulation} -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments
                -T ${tour_dir}/${name}/link.ld -o ${image}.linked ${objects}
        COMMAND ${GUEST_OBJCOPY} -O elf32-i386 ${image}.linked ${image} # a Multiboot loader wants ELF32
        DEPENDS ${objects} ${tour_dir}/${name}/link.ld VERBATIM)
    firmware_embed(${name} ${image})
    set(firmware_objects ${firmware_objects} PARENT_SCOPE)
endfunction()

tour_image(tour32 "-m32;-march=i486" elf_i386)
tour_image(tour64 -m64 elf_x86_64)
