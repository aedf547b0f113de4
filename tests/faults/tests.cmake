# SPDX-License-Identifier: MIT
# Guests that triple-fault on purpose, and the page that explains each (tests/faults/run).
set(fault_dir ${CMAKE_CURRENT_LIST_DIR})
set(fault_images_dir ${CMAKE_BINARY_DIR}/fault-guests)
set(fault_images "")
function(fault_image name width)
    set(out ${fault_images_dir}/${name}${width}.elf)
    set(long_mode "")
    if(width EQUAL 64)
        set(long_mode -DLONG_MODE)
    endif()
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${fault_images_dir}
        COMMAND ${GUEST_COMPILER} -m32 ${long_mode} -DCASE_${name} -c -o ${out}.o ${fault_dir}/shutdown.S
        COMMAND ${GUEST_LINKER} -m elf_i386 -N --no-warn-rwx-segments --build-id=none -Ttext 0x100000 -o ${out} ${out}.o
        DEPENDS ${fault_dir}/shutdown.S)
    set(fault_images ${fault_images} ${out} PARENT_SCOPE)
endfunction()
foreach(case no_idt bad_gate absent_gate absent_segment bad_tss_stack unmapped_tss_stack absent_handler stack_overflow)
    fault_image(${case} 32)
    fault_image(${case} 64)
endforeach()
fault_image(unmapped_ist 64)
fault_image(double_fault 64)
add_custom_target(fault_guests ALL DEPENDS ${fault_images})

add_test(NAME faults.shutdown COMMAND ${fault_dir}/run $<TARGET_FILE:ringside> ${fault_images_dir})
set_tests_properties(faults.shutdown PROPERTIES TIMEOUT 300)
