# SPDX-License-Identifier: MIT
# The images of the matrix (tools/matrix/run): one for each width and vendor, whose cases make_cases takes from the rule
# suite of this build.
set(matrix_dir ${CMAKE_CURRENT_LIST_DIR})
set(matrix_images_dir ${CMAKE_BINARY_DIR}/matrix)
set(matrix_flags -ffreestanding -nostdlib -O1 -g0 -std=gnu11 -Wall -Wextra -Werror -fno-pic -fno-pie -fno-stack-protector
    -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mgeneral-regs-only
    -fno-strict-aliasing -mno-red-zone)
set(matrix_machine64 -m64)
set(matrix_machine32 -m32 -march=i686)
set(matrix_emulation64 elf_x86_64)
set(matrix_emulation32 elf_i386)

add_executable(make_cases ${matrix_dir}/make_cases.c)
target_link_libraries(make_cases PRIVATE ringside_conform)

function(matrix_image bits vendor)
    set(image ${matrix_images_dir}/matrix${bits}-${vendor}.elf)
    set(cases ${image}.cases)
    set(objects "")
    file(GLOB headers CONFIGURE_DEPENDS ${matrix_dir}/*.h ${matrix_dir}/guest/*.h)
    add_custom_command(OUTPUT ${cases}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${matrix_images_dir}
        COMMAND make_cases ${bits} ${vendor} ${cases}
        DEPENDS make_cases VERBATIM)
    foreach(source main.c start${bits}.S enter${bits}.S cases.S)
        set(object ${image}.${source}.o)
        add_custom_command(OUTPUT ${object}
            COMMAND ${GUEST_COMPILER} ${matrix_machine${bits}} ${matrix_flags} "-DMATRIX_CASES=\"${cases}\""
                    -c ${matrix_dir}/guest/${source} -o ${object}
            DEPENDS ${matrix_dir}/guest/${source} ${headers} ${cases} VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    add_custom_command(OUTPUT ${image}
        COMMAND ${GUEST_LINKER} -m ${matrix_emulation${bits}} -z noexecstack -z max-page-size=4096
                --no-warn-rwx-segments -T ${matrix_dir}/guest/link.ld -o ${image}.linked ${objects}
        COMMAND ${GUEST_OBJCOPY} -O elf32-i386 ${image}.linked ${image} # a Multiboot loader wants ELF32
        DEPENDS ${objects} ${matrix_dir}/guest/link.ld VERBATIM)
    set(matrix_images ${matrix_images} ${image} PARENT_SCOPE)
endfunction()
foreach(bits 32 64)
    foreach(vendor intel amd)
        matrix_image(${bits} ${vendor})
    endforeach()
endforeach()
add_custom_target(matrix_guest ALL DEPENDS ${matrix_images})
