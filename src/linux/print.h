/* SPDX-License-Identifier: MIT
 * What printers of arguments are written with: a call that is being printed, text that grows into a file or is dropped,
 * memory that is read through the caller's readers.
 *
 * A printer reads the same bytes whether its text is kept or not, so that a run without text (linux_visit_memory())
 * says what a later print will read.
 */
#ifndef RINGSIDE_LINUX_PRINT_H
#define RINGSIDE_LINUX_PRINT_H

#include <string.h>

#include "base/bits.h"
#include "linux/kinds.h"
#include "linux/names.h"

#define STRING_LIMIT LINUX_STRING_MAX

struct print {
    const struct linux_call *call;
    const struct linux_syscall *row; /* of the call, or of the one inside a multiplexer */
    u64 arg[LINUX_ARGS];             /* cut to the width of the caller's code */
    unsigned word;                   /* bytes of a pointer, and of a long in memory: 4 or 8 */
    bool narrow;                     /* registers have 32 bits: i386 */
    bool ok;                         /* it has returned, and not with an error */
    unsigned limit;                  /* bytes of a string, elements of an array; at most STRING_LIMIT */
    unsigned depth;                  /* of multiplexers */

    const struct linux_memory *memory; /* where mem_read() reads: as at the entry, or at the return */
    u64 budget;                        /* bytes that may still be read */
    const struct linux_names *names;   /* table of the argument's kind */

    FILE *out; /* NULL: no text is kept */
    bool begun, comma;
    size_t used;
    char text[512];
};

/* --- text --- */

void put_text(struct print *p, const char *text);
void put_char(struct print *p, char c);
void put_format(struct print *p, const char *format, ...) PRINTF_LIKE(2, 3);
void put_signed(struct print *p, i64 value);
void put_unsigned(struct print *p, u64 value);
/* "0x1f"; 0 is "0". */
void put_hex(struct print *p, u64 value);
/* "0x1f"; 0 is "NULL". */
void put_address(struct print *p, u64 address);
/* The next argument begins: a comma goes in front of its first character. An argument may print nothing. */
void put_next(struct print *p);
/* What has gathered goes to the file. */
void put_flush(struct print *p);

/* The name of a value: "SEEK_SET", or "0x9 / * SEEK_??? * /". */
void put_name(struct print *p, const struct linux_names *names, u64 value);
/* Names of bits, "A|B|0x40"; 0 is "0" unless the table has a name for it. */
void put_flags(struct print *p, const struct linux_names *names, u64 value);
/* The same after other text: "|A|B", nothing for 0.  */
void put_more_flags(struct print *p, const struct linux_names *names, u64 value);
/* Bytes as a C string in quotes. in: more  "..." follows */
void put_quoted(struct print *p, const u8 *bytes, size_t size, bool more);
/* "SIGINT", "SIGRT_2", "0". */
void put_signal(struct print *p, u32 number);
/* "S_IFREG|0644" */
void put_file_mode(struct print *p, u32 mode);
/* "0644" */
void put_mode(struct print *p, u32 mode);
/* "makedev(0x1, 0x3)" */
void put_device(struct print *p, u64 device);
/* A user or group, -1 for the one that stands for none. */
void put_id(struct print *p, u32 id);

/* --- memory --- */

/* Read through p->memory. returns: false when the bytes are not known */
bool mem_read(struct print *p, u64 address, void *out, size_t size);
/* A pointer or long. */
bool mem_read_word(struct print *p, u64 address, u64 *out);
/* Memory as at the entry, as at the return. */
void mem_use_in(struct print *p);
void mem_use_out(struct print *p);

/* A pointer or unsigned long. */
ALWAYS_INLINE u64 get_word(const struct print *p, const u8 *bytes)
{
    return p->word == 4 ? load_le32(bytes) : load_le64(bytes);
}

ALWAYS_INLINE i64 get_signed_word(const struct print *p, const u8 *bytes)
{
    return p->word == 4 ? (i32)load_le32(bytes) : (i64)load_le64(bytes);
}

/* --- memory as text --- */

/* A structure at an address; when it cannot be read the address is printed. */
bool put_or_read(struct print *p, u64 address, void *out, size_t size);
/* A string that ends in NUL, of at most limit bytes (then "..."). */
void put_string(struct print *p, u64 address, size_t limit);
void put_path(struct print *p, u64 address);
/* size bytes, of which p->limit are shown. */
void put_buffer(struct print *p, u64 address, u64 size);
/* "[a, b, ...]": elements of equal size (256 bytes at most), each printed by element(). */
typedef void element_fn(struct print *p, const u8 *bytes);
void put_array(struct print *p, u64 address, u64 count, size_t size, element_fn *element);
/* Elements, for put_array(). */
void put_element_u32_hex(struct print *p, const u8 *bytes);
void put_element_int(struct print *p, const u8 *bytes);

/* --- calls --- */

/* The arguments of another row in place of this call's: for multiplexers. in: args  of that row */
void put_inner_call(struct print *p, const struct linux_syscall *row, const u64 *args);
/* Arguments i, i + 1 as one 64-bit number (i386). */
u64 arg_pair(const struct print *p, unsigned i);
/* An argument as a signed long of the caller. */
i64 arg_signed(const struct print *p, unsigned i);
/* The raw result: from -4095 to -1 an error. */
i64 printed_result(const struct print *p);

#define PATH_LIMIT 4096u /* with its NUL */

#endif
