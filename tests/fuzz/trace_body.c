/* SPDX-License-Identifier: MIT
 * The body of a trace file: sections found by their markers, and made consistent.
 */
#include "trace_body.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

u8 *trace_body_head(size_t *size)
{
    char *schema = trace_schema_text();
    size_t length = strlen(schema);
    struct trace_section s = {
        .marker = TRACE_SECTION_MARKER, .tag = TAG_SCHEMA, .stored = (u32)length, .raw = (u32)length};
    u8 *head = malloc(TRACE_MAGIC_SIZE + sizeof s + length);

    if (!head)
        abort();
    s.payload_sum = trace_checksum(schema, length);
    s.header_sum = trace_checksum(&s, offsetof(struct trace_section, header_sum));
    memcpy(head, TRACE_MAGIC, TRACE_MAGIC_SIZE);
    memcpy(head + TRACE_MAGIC_SIZE, &s, sizeof s);
    memcpy(head + TRACE_MAGIC_SIZE + sizeof s, schema, length);
    free(schema);
    *size = TRACE_MAGIC_SIZE + sizeof s + length;
    return head;
}

/* Where the next section begins at or after `at`; `end` when none does. */
static size_t find_marker(const u8 *body, size_t at, size_t end)
{
    for (; at + sizeof(struct trace_section) <= end; at++)
        if (load_le32(body + at) == TRACE_SECTION_MARKER)
            return at;
    return end;
}

static void repair_section(u8 *body, size_t at, size_t next)
{
    struct trace_section s;

    memcpy(&s, body + at, sizeof s);
    s.stored = (u32)(next - at - sizeof s);
    if (!(s.flags & SECTION_ZSTD))
        s.raw = s.stored;
    s.payload_sum = trace_checksum(body + at + sizeof s, s.stored);
    s.header_sum = trace_checksum(&s, offsetof(struct trace_section, header_sum));
    memcpy(body + at, &s, sizeof s);
}

/* Entry n of a kind is the n-th section of that kind. */
static void repair_index(u8 *body, size_t index, size_t next, size_t end, size_t head)
{
    for (size_t at = index + sizeof(struct trace_section); at + sizeof(struct trace_index_entry) <= next;
         at += sizeof(struct trace_index_entry)) {
        struct trace_index_entry e;
        u64 last = 0;

        memcpy(&e, body + at, sizeof e);
        for (size_t n = index + sizeof(struct trace_section); n < at; n += sizeof e) {
            struct trace_index_entry before;

            memcpy(&before, body + n, sizeof before);
            if (before.tag == e.tag)
                last = before.offset;
        }
        for (size_t s = find_marker(body, 0, end); s < end; s = find_marker(body, s + 1, end)) {
            if (load_le32(body + s + offsetof(struct trace_section, tag)) == e.tag && head + s > last) {
                e.offset = head + s;
                break;
            }
        }
        memcpy(body + at, &e, sizeof e);
    }
}

void trace_body_repair(u8 *body, size_t size)
{
    size_t head, end = size, index = SIZE_MAX, indexes = 0;

    free(trace_body_head(&head));
    if (size >= TRACE_FOOTER_SIZE && memcmp(body + size - 8, TRACE_END_MAGIC, 8) == 0)
        end = size - TRACE_FOOTER_SIZE;
    for (size_t at = find_marker(body, 0, end); at < end;) {
        size_t next = find_marker(body, at + sizeof(struct trace_section), end);

        if (load_le32(body + at + offsetof(struct trace_section, tag)) == TAG_INDEX) {
            index = index == SIZE_MAX ? at : index;
            indexes++;
            repair_index(body, at, next, end, head);
        }
        repair_section(body, at, next);
        at = next;
    }
    if (end == size || index == SIZE_MAX)
        return;
    store_le64(body + end, head + index);
    store_le64(body + end + 8, indexes);
    store_le64(body + end + 16, trace_checksum(body + end, 16));
}
