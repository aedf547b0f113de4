/* SPDX-License-Identifier: MIT
 * A boot sector that sets the video mode in its word `mode` by INT 10h and draws with the firmware: the letters A to Z, each in
 * the colour of its place, and a diagonal of pixels of colour 14. In a VBE mode with a linear framebuffer (bit 14) it also
 * fills the first 16 bytes of it with 11h, 12h, ... Then it ends the run by isa-debug-exit: 21h, or 23h when the mode was
 * refused.
 * Ralf Brown's Interrupt List, INT 10h; VESA, "VBE Core Functions Standard 3.0", functions 01h and 02h.
 */
    .code16
    .globl _start
_start:
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    mov mode, %bx
    test $0xff00, %bx
    jnz vbe_mode
    mov %bx, %ax
    int $0x10
    jmp letters

vbe_mode:
    mov $0x4f01, %ax /* information: the framebuffer's address is at 28h */
    mov %bx, %cx
    and $0x3fff, %cx
    mov $info, %di
    int $0x10
    cmp $0x004f, %ax
    jne refused
    mov mode, %bx
    mov $0x4f02, %ax
    int $0x10
    cmp $0x004f, %ax
    jne refused

letters:
    mov $1, %bx
next_letter:
    mov $0x0e, %ah
    mov %bl, %al
    add $'A'-1, %al
    push %bx
    int $0x10
    pop %bx
    inc %bx
    cmp $27, %bx
    jne next_letter

    mov $30, %cx
next_pixel:
    mov %cx, %dx
    add $40, %dx
    mov $0x0c0e, %ax
    xor %bx, %bx
    push %cx
    int $0x10
    pop %cx
    inc %cx
    cmp $150, %cx
    jne next_pixel

    testb $0x40, mode+1
    jz done
    cli /* a flat data segment, for as long as ES is not loaded again */
    lgdt descriptor
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    mov $8, %bx
    mov %bx, %es
    and $0xfe, %al
    mov %eax, %cr0
    mov info+0x28, %edi
    mov $0x11, %al
next_byte:
    mov %al, %es:(%edi)
    inc %edi
    inc %al
    cmp $0x21, %al
    jne next_byte
done:
    mov $0x10, %al
    jmp leave
refused:
    mov $0x11, %al
leave:
    mov $0x501, %dx
    out %al, %dx
stay:
    hlt
    jmp stay

    .align 8
table:
    .quad 0
    .quad 0x00cf92000000ffff
descriptor:
    .word 15
    .long table

    .org 508
mode:
    .word 3
    .word 0xaa55
    .set info, 0x8000
