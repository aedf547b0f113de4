/* SPDX-License-Identifier: MIT
 * What a recording says of the guest: tasks, where the kernel runs, its symbols and modules, and data beside events.
 */
#include <stdlib.h>

#include "trace/file/reader_state.h"

#define NAMES_BYTES (128u << 20) /* of sections of names, unpacked, before the last: Debian's amd64 kernel has 2.3 MB  \
                                  */

/* ---- what is known of the guest ---- */

void reader_note(struct trace_reader *r, const struct event_record *e)
{
    if (e->kind == EVENT_KIND_TASK) {
        event_get_task(e, &r->task);
    } else if (e->kind == EVENT_KIND_KERNEL) {
        r->names->slid = e->number == 1;
        r->names->slide = e->new_value;
    }
}

const struct guest_task *trace_reader_task(const struct trace_reader *r) { return &r->task; }

/* ---- data beside events ---- */

static void add_piece(struct trace_reader *r, const struct data_piece *piece)
{
    if (r->pieces == r->piece_capacity) {
        r->piece_capacity = r->piece_capacity ? r->piece_capacity * 2 : 256;
        r->piece = realloc(r->piece, r->piece_capacity * sizeof *r->piece);
        if (!r->piece)
            abort();
    }
    r->piece[r->pieces++] = *piece;
}

/* returns: false when the pieces do not fill the section exactly, or do not ascend */
static bool parse_data(struct trace_reader *r, u32 count)
{
    size_t at = 0;
    u64 last = 0;

    for (u32 i = 0; i < count; i++) {
        const u8 *p = r->data + at;
        struct data_piece piece;

        if (r->data_size - at < DATA_HEADER)
            return false;
        piece = (struct data_piece){.event = load_le64(p),
                                    .address = load_le64(p + 8),
                                    .size = load_le32(p + 16),
                                    .kind = (u8)load_le32(p + 20),
                                    .bytes = p + DATA_HEADER};
        if (piece.size > r->data_size - at - DATA_HEADER || piece.event < last)
            return false;
        last = piece.event;
        at += DATA_HEADER + piece.size;
        add_piece(r, &piece);
    }
    return at == r->data_size;
}

/* The data of the block that is loaded stands right before it. */
static void load_data(struct trace_reader *r)
{
    const struct trace_index_entry *block = &r->entry[r->loaded], *e;
    struct trace_section s;
    size_t size;

    r->data_block = r->loaded;
    r->pieces = 0;
    for (size_t i = r->loaded; i-- > 0 && r->entry[i].tag != TAG_EVENTS;) {
        e = &r->entry[i];
        if (e->tag != TAG_DATA || e->first != block->first)
            continue;
        if (reader_load(r, e->offset, &s, &size) && s.tag == TAG_DATA && s.first == block->first) {
            memcpy(reader_room(&r->data, &r->data_capacity, size + 1), r->raw, size);
            r->data_size = size;
            if (parse_data(r, s.count))
                return;
        }
        r->pieces = 0;
        reader_lost(r, "the data of events %llu to %llu is lost (damaged)", (unsigned long long)block->first,
                    (unsigned long long)(block->first + block->count - 1));
        return;
    }
}

const struct data_piece *trace_reader_data(struct trace_reader *r, size_t i)
{
    u64 id = r->next_id - 1;
    size_t low = 0, high;

    if (r->loaded == SIZE_MAX)
        return NULL;
    if (r->data_block != r->loaded) {
        load_data(r);
        r->first_piece = SIZE_MAX;
    }
    if (r->first_piece == SIZE_MAX) {
        for (high = r->pieces; low < high;) {
            size_t mid = low + (high - low) / 2;

            if (r->piece[mid].event < id)
                low = mid + 1;
            else
                high = mid;
        }
        r->first_piece = low;
    }
    if (i >= r->pieces - r->first_piece || r->piece[r->first_piece + i].event != id)
        return NULL;
    return &r->piece[r->first_piece + i];
}

void trace_reader_pieces(struct trace_reader *r, struct pieces *pieces)
{
    const struct data_piece *piece;

    pieces_clear(pieces);
    for (size_t i = 0; (piece = trace_reader_data(r, i)) != NULL; i++)
        pieces_add(pieces, (enum data_kind)piece->kind, piece->event, piece->address, piece->bytes, piece->size);
}

/* ---- names ---- */

/* A section of names, while what all of them unpack to is no more than a real recording has. */
static bool load_names(struct trace_reader *r, u64 offset, enum trace_tag tag, size_t *size)
{
    struct trace_section s;

    if (!reader_load(r, offset, &s, size) || s.tag != tag) {
        r->names_size += PAGE_SIZE; /* trying costs, too */
        return false;
    }
    r->names_size += *size;
    return true;
}

static void read_kernel(struct trace_reader *r, u64 offset)
{
    struct error err;
    size_t size;

    if (!load_names(r, offset, TAG_KERNEL, &size)) {
        reader_lost(r, "the kernel's symbols are lost (damaged)");
        return;
    }
    r->kernel = kernel_unpack(r->raw, size, &err);
    if (!r->kernel)
        reader_lost(r, "the kernel's symbols are lost (%s)", err.text);
    r->names->kernel = r->kernel;
}

static void read_module(struct trace_reader *r, u64 offset)
{
    struct guest_module module;
    struct error err;
    size_t size;

    if (r->names->modules < NAMES_MODULES && load_names(r, offset, TAG_MODULE, &size) &&
        module_unpack(&module, r->raw, size, &err))
        names_module_add(r->names, &module);
    else
        reader_lost(r, "a module's symbols are lost");
}

/* A whole file says where the kernel ran; if it ran at one place only, that holds from the first event on. */
static void take_slide(struct trace_reader *r)
{
    const char *slides = trace_properties_get(&r->end, "kernel.slides");
    const char *slide = trace_properties_get(&r->end, "kernel.slide");

    if (slides && slide && !strcmp(slides, "1")) {
        r->names->slid = true;
        r->names->slide = strtoull(slide, NULL, 16);
    }
}

/* A file that was cut short does not say it at its end: the first event that does holds from the start, unless a later
 * one, which the reader will pass, says otherwise. */
static void find_slide(struct trace_reader *r)
{
    struct trace_filter kernel = {.kinds = 1u << EVENT_KIND_KERNEL};
    u64 next_id = r->next_id, id;
    const struct event_record *e;
    size_t at = r->at;

    trace_reader_seek(r, 1);
    while ((e = trace_reader_next(r, &kernel, &id)) != NULL && !r->names->slid)
        ;
    trace_reader_seek(r, 1);
    r->at = at;
    r->next_id = next_id;
}

const struct names *trace_reader_names(struct trace_reader *r)
{
    bool kernel_seen = false;

    if (r->kernel_read)
        return r->names;
    r->kernel_read = true;
    for (size_t i = 0; i < r->entries; i++) {
        const struct trace_index_entry *e = &r->entry[i];

        if (e->tag == TAG_KERNEL && !kernel_seen) /* a recording has one: what is no kernel is not tried again */
            read_kernel(r, e->offset);
        else if (e->tag == TAG_MODULE)
            read_module(r, e->offset);
        if (r->names_size > NAMES_BYTES) {
            reader_lost(r, "names beyond %u MiB are left out", NAMES_BYTES >> 20);
            break;
        }
        kernel_seen |= e->tag == TAG_KERNEL;
    }
    if (!r->names->slid)
        take_slide(r);
    if (r->kernel && !r->names->slid && !r->complete)
        find_slide(r);
    return r->names;
}

void reader_guest_free(struct trace_reader *r)
{
    for (size_t i = 0; i < r->names->modules; i++)
        symbols_free(r->names->module[i].symbols);
    kernel_free(r->kernel);
    free(r->names);
    free(r->data);
    free(r->piece);
}
