/* SPDX-License-Identifier: MIT
 * Reading a trace file. Sizes are bounded before they are used; sections are checked by two sums (header, payload); a
 * missing or damaged index is rebuilt by scanning for section headers, which carry a marker and their own sum.
 */
#include "trace/file/reader_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zstd.h>

#include "bus/input.h"

void reader_lost(struct trace_reader *r, const char *fmt, ...)
{
    size_t used = strlen(r->damage);
    va_list args;

    if (used + 2 >= sizeof r->damage)
        return;
    if (used) {
        memcpy(r->damage + used, "; ", 3);
        used += 2;
    }
    va_start(args, fmt);
    vsnprintf(r->damage + used, sizeof r->damage - used, fmt, args);
    va_end(args);
}

static bool read_at(struct trace_reader *r, u64 offset, void *out, size_t size)
{
    return offset <= r->size && size <= r->size - offset && fseeko(r->file, (off_t)offset, SEEK_SET) == 0 &&
           fread(out, 1, size, r->file) == size;
}

u8 *reader_room(u8 **buffer, size_t *capacity, size_t size)
{
    if (size > *capacity) {
        free(*buffer);
        *buffer = malloc(size);
        if (!*buffer)
            abort();
        *capacity = size;
    }
    return *buffer;
}

static bool header_is_sound(const struct trace_section *s)
{
    return s->marker == TRACE_SECTION_MARKER &&
           s->header_sum == trace_checksum(s, offsetof(struct trace_section, header_sum)) &&
           s->stored <= TRACE_SECTION_MAX && s->raw <= TRACE_SECTION_MAX;
}

bool reader_load(struct trace_reader *r, u64 offset, struct trace_section *s, size_t *size)
{
    if (!read_at(r, offset, s, sizeof *s) || !header_is_sound(s))
        return false;
    u8 *stored = reader_room(&r->stored, &r->stored_capacity, s->stored + 1u);
    if (!read_at(r, offset + sizeof *s, stored, s->stored) || trace_checksum(stored, s->stored) != s->payload_sum)
        return false;
    u8 *raw = reader_room(&r->raw, &r->raw_capacity, s->raw + 1u);
    if (s->flags & SECTION_ZSTD) {
        if (ZSTD_decompress(raw, s->raw, stored, s->stored) != s->raw)
            return false;
    } else {
        if (s->raw != s->stored)
            return false;
        memcpy(raw, stored, s->raw);
    }
    *size = s->raw;
    return true;
}

static struct trace_index_entry *entry_add(struct trace_reader *r)
{
    if (r->entries == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 64;
        r->entry = realloc(r->entry, r->capacity * sizeof *r->entry);
        if (!r->entry)
            abort();
    }
    return &r->entry[r->entries++];
}

/* Entries must ascend, so that a search by number is right whatever the file says. */
static bool entries_are_sound(const struct trace_reader *r)
{
    u64 next = 1;

    for (size_t i = 0; i < r->entries; i++) {
        const struct trace_index_entry *e = &r->entry[i];

        if (e->tag == TAG_INPUT || e->tag == TAG_DATA || e->tag == TAG_KERNEL || e->tag == TAG_MODULE)
            continue;
        if (e->tag != TAG_EVENTS || e->count == 0 || e->count > BLOCK_EVENTS || e->first < next ||
            e->first > UINT64_MAX - e->count)
            return false;
        next = e->first + e->count;
    }
    return true;
}

static bool read_index(struct trace_reader *r)
{
    u8 footer[TRACE_FOOTER_SIZE];
    struct trace_section s;
    size_t size;
    u64 offset, sections;

    if (r->size < TRACE_FOOTER_SIZE || !read_at(r, r->size - TRACE_FOOTER_SIZE, footer, sizeof footer) ||
        memcmp(footer + 24, TRACE_END_MAGIC, 8) != 0 || load_le64(footer + 16) != trace_checksum(footer, 16))
        return false;
    offset = load_le64(footer);
    sections = load_le64(footer + 8);
    for (u64 n = 0; n < sections; n++) {
        if (!reader_load(r, offset, &s, &size) || s.tag != TAG_INDEX || s.count > TRACE_INDEX_ENTRIES ||
            size != (size_t)s.count * sizeof(struct trace_index_entry) ||
            r->entries + s.count > r->size / sizeof s) /* more than the file has room for */
            return false;
        for (u32 i = 0; i < s.count; i++)
            memcpy(entry_add(r), r->raw + i * sizeof(struct trace_index_entry), sizeof(struct trace_index_entry));
        offset += sizeof s + s.stored;
    }
    return entries_are_sound(r);
}

static bool take_properties(struct trace_reader *r, struct trace_properties *p, size_t size)
{
    struct trace_properties parsed = {0};

    if (!trace_properties_parse(&parsed, (const char *)r->raw, size)) {
        trace_properties_free(&parsed);
        return false;
    }
    trace_properties_free(p);
    *p = parsed;
    return true;
}

/* Offset of the next sound section header at or after offset; r->size when there is none. */
static u64 resync(struct trace_reader *r, u64 offset)
{
    u8 window[65536];
    struct trace_section s;

    while (offset < r->size) {
        size_t n = r->size - offset < sizeof window ? (size_t)(r->size - offset) : sizeof window;

        if (!read_at(r, offset, window, n))
            return r->size;
        for (size_t i = 0; i + 4 <= n; i++)
            if (load_le32(window + i) == TRACE_SECTION_MARKER && read_at(r, offset + i, &s, sizeof s) &&
                header_is_sound(&s))
                return offset + i;
        if (n < sizeof window)
            return r->size;
        offset += n - 3;
    }
    return r->size;
}

/* Walk all sections by their headers; with index=false only for the run description and the end properties. */
static void scan(struct trace_reader *r, bool rebuild)
{
    u64 offset = TRACE_MAGIC_SIZE, next = 1;
    struct trace_section s;
    size_t size;

    while (offset < r->size) {
        if (r->complete && r->size - offset == TRACE_FOOTER_SIZE)
            break;
        if (!read_at(r, offset, &s, sizeof s) || !header_is_sound(&s)) {
            u64 found = resync(r, offset + 1);

            reader_lost(r, "%llu bytes at %llu are unreadable", (unsigned long long)(found - offset),
                        (unsigned long long)offset);
            offset = found;
            continue;
        }
        if (s.stored > r->size - offset - sizeof s) {
            reader_lost(r, "the last section is cut short (%u of %u bytes are missing%s)",
                        (unsigned)(s.stored - (r->size - offset - sizeof s)), s.stored,
                        s.tag == TAG_EVENTS  ? ", events"
                        : s.tag == TAG_INPUT ? ", input log"
                                             : "");
            break;
        }
        if (s.tag == TAG_RUN || s.tag == TAG_END) {
            bool *has = s.tag == TAG_RUN ? &r->has_run : &r->has_end;

            *has = reader_load(r, offset, &s, &size) && take_properties(r, s.tag == TAG_RUN ? &r->run : &r->end, size);
            if (!*has)
                reader_lost(r, "the %s is damaged", s.tag == TAG_RUN ? "run description" : "end of the run");
        } else if (rebuild && (s.tag == TAG_INPUT || s.tag == TAG_DATA || s.tag == TAG_KERNEL || s.tag == TAG_MODULE ||
                               (s.tag == TAG_EVENTS && s.first >= next && s.count && s.count <= BLOCK_EVENTS &&
                                s.first <= UINT64_MAX - s.count))) {
            *entry_add(r) =
                (struct trace_index_entry){.offset = offset, .first = s.first, .count = s.count, .tag = s.tag};
            if (s.tag == TAG_EVENTS)
                next = s.first + s.count;
        } else if (rebuild && s.tag == TAG_EVENTS) {
            reader_lost(r, "a block of events with wrong numbers is left out");
        }
        offset += sizeof s + s.stored;
    }
}

/* The schema must be this program's, field by field: there is one version so far, and none is guessed at. */
static bool check_schema(struct trace_reader *r, struct error *err)
{
    struct trace_section s;
    size_t size;
    unsigned version = 0;
    char magic[TRACE_MAGIC_SIZE];

    if (!read_at(r, 0, magic, sizeof magic) || memcmp(magic, TRACE_MAGIC, sizeof magic) != 0)
        return error_set(err, EXIT_FILE, "%s: not a ringside trace (its first bytes are not the magic)", r->path);
    if (!reader_load(r, TRACE_MAGIC_SIZE, &s, &size) || s.tag != TAG_SCHEMA)
        return error_set(err, EXIT_FILE, "%s: the schema section is damaged or cut short; nothing can be read",
                         r->path);
    r->raw[size] = '\0';
    if (sscanf((const char *)r->raw, "ringside-trace\t%u\n", &version) != 1)
        return error_set(err, EXIT_FILE, "%s: the schema does not say its version", r->path);
    if (version != TRACE_SCHEMA_VERSION)
        return error_set(err, EXIT_FILE, "%s: written with trace schema %u; this program reads schema %u only", r->path,
                         version, TRACE_SCHEMA_VERSION);
    char *ours = trace_schema_text();
    const char *a = ours, *b = (const char *)r->raw;
    while (*a && *a == *b) {
        a++;
        b++;
    }
    if (*a || *b) {
        while (b > (const char *)r->raw && b[-1] != '\n')
            b--;
        error_set(err, EXIT_FILE,
                  "%s: its schema %u differs from this program's at \"%.60s\": read it with the program that wrote it",
                  r->path, version, *b ? b : "(end)");
        for (char *c = err->text; *c; c++)
            if (*c == '\n' || *c == '\t')
                *c = ' ';
        free(ours);
        return false;
    }
    free(ours);
    return true;
}

static void report_reach(struct trace_reader *r)
{
    u64 last = trace_reader_events(r);

    if (last == 0)
        reader_lost(r, "no event is within reach");
    else
        reader_lost(r, "events 1 to %llu are within reach", (unsigned long long)last);
}

struct trace_reader *trace_reader_open(const char *path, struct error *err)
{
    struct trace_reader *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->path = strdup(path);
    r->loaded = r->data_block = SIZE_MAX;
    r->next_id = 1;
    r->names = calloc(1, sizeof *r->names);
    if (!r->names)
        abort();
    r->file = fopen(path, "rb");
    if (!r->file || fseeko(r->file, 0, SEEK_END) != 0 || ftello(r->file) < 0) {
        error_set(err, EXIT_FILE, "%s: cannot read the trace: %s", path, strerror(errno));
        trace_reader_close(r);
        return NULL;
    }
    r->size = (u64)ftello(r->file);
    if (!check_schema(r, err)) {
        trace_reader_close(r);
        return NULL;
    }
    r->codec = block_codec_new();
    r->records = malloc(BLOCK_EVENTS * sizeof *r->records);
    if (!r->records)
        abort();
    r->complete = read_index(r);
    if (!r->complete) {
        r->entries = 0;
        reader_lost(
            r, "the file has no whole index (the recording was cut short, or is damaged); it was rebuilt by scanning");
    }
    scan(r, !r->complete);
    if (!r->complete)
        report_reach(r);
    return r;
}

void trace_reader_close(struct trace_reader *r)
{
    if (!r)
        return;
    if (r->file)
        fclose(r->file);
    trace_properties_free(&r->run);
    trace_properties_free(&r->end);
    block_codec_free(r->codec);
    reader_guest_free(r);
    free(r->entry);
    free(r->stored);
    free(r->raw);
    free(r->records);
    free(r->path);
    free(r);
}

u64 trace_reader_events(const struct trace_reader *r)
{
    for (size_t i = r->entries; i-- > 0;)
        if (r->entry[i].tag == TAG_EVENTS)
            return r->entry[i].first + r->entry[i].count - 1;
    return 0;
}

const struct trace_properties *trace_reader_run(const struct trace_reader *r) { return &r->run; }
const struct trace_properties *trace_reader_end(const struct trace_reader *r) { return &r->end; }
const char *trace_reader_damage(const struct trace_reader *r) { return r->damage[0] ? r->damage : NULL; }
bool trace_reader_complete(const struct trace_reader *r) { return r->complete; }
size_t trace_reader_sections(const struct trace_reader *r) { return r->entries; }
const struct trace_index_entry *trace_reader_section(const struct trace_reader *r, size_t i) { return &r->entry[i]; }

static bool may_have_task(const struct trace_index_entry *e, const struct trace_filter *f)
{
    for (unsigned i = 0; i < f->pids; i++)
        if (e->tasks & trace_task_bit(f->pid[i]))
            return true;
    return false;
}

static bool may_match(const struct trace_index_entry *e, const struct trace_filter *f)
{
    if (!f)
        return true;
    if ((f->from && e->first + e->count - 1 < f->from) || (f->to && e->first > f->to))
        return false;
    /* Calls are found by looking at every event. */
    if (trace_filter_needs_calls(f))
        return true;
    if (!e->known)
        return true;
    if (e->kinds & 1u << EVENT_KIND_KERNEL)
        return true; /* what it says holds for all that comes after */
    if (f->kinds && !(f->kinds & e->kinds))
        return false;
    if (f->pids && !may_have_task(e, f))
        return false;
    if (f->mechanisms) {
        for (unsigned m = 0; m < MECHANISMS; m++)
            if ((f->mechanisms >> m) & 1 && e->mechanisms[m])
                return true;
        return false;
    }
    return true;
}

/* Load the block, and take in what it says before next_id. */
static bool load_block(struct trace_reader *r, const struct trace_index_entry *e)
{
    struct trace_section s;
    size_t size;

    if (r->loaded == r->at)
        return true;
    r->loaded = SIZE_MAX;
    r->task = (struct guest_task){0};
    if (!reader_load(r, e->offset, &s, &size) || s.tag != TAG_EVENTS || s.count != e->count || s.first != e->first ||
        !block_decode(r->codec, r->raw, size, s.count, r->records)) {
        reader_lost(r, "events %llu to %llu are lost (damaged block)", (unsigned long long)e->first,
                    (unsigned long long)(e->first + e->count - 1));
        return false;
    }
    r->loaded = r->at;
    for (u64 id = e->first; id < r->next_id; id++)
        reader_note(r, &r->records[id - e->first]);
    return true;
}

const struct event_record *trace_reader_next(struct trace_reader *r, const struct trace_filter *filter, u64 *id)
{
    for (; r->at < r->entries; r->at++) {
        const struct trace_index_entry *e = &r->entry[r->at];

        if (e->tag != TAG_EVENTS || r->next_id >= e->first + e->count || !may_match(e, filter))
            continue;
        if (r->next_id < e->first)
            r->next_id = e->first;
        if (!load_block(r, e))
            continue;
        *id = r->next_id++;
        r->first_piece = SIZE_MAX;
        reader_note(r, &r->records[*id - e->first]);
        return &r->records[*id - e->first];
    }
    return NULL;
}

void trace_reader_seek(struct trace_reader *r, u64 id)
{
    size_t low = 0, high = r->entries;

    /* First entry that ends at or after id; input entries are stepped over linearly, they are few. */
    while (low < high) {
        size_t mid = low + (high - low) / 2, probe = mid;

        while (probe < high && r->entry[probe].tag != TAG_EVENTS)
            probe++;
        if (probe < high && r->entry[probe].first + r->entry[probe].count <= id)
            low = probe + 1;
        else
            high = mid;
    }
    r->at = low;
    r->next_id = id ? id : 1;
    r->loaded = SIZE_MAX; /* what the block says before that event is taken in anew */
}

bool trace_reader_inputs(struct trace_reader *r, trace_input_fn *fn, void *context, struct error *err)
{
    if (!r->complete)
        return error_set(err, EXIT_FILE, "%s: cannot replay: the recording is not whole, so its input log may not be",
                         r->path);
    for (size_t i = 0; i < r->entries; i++) {
        struct trace_section s;
        size_t size, at = 0;

        if (r->entry[i].tag != TAG_INPUT)
            continue;
        if (!reader_load(r, r->entry[i].offset, &s, &size) || s.tag != TAG_INPUT)
            return error_set(err, EXIT_FILE, "%s: cannot replay: the input log is damaged at byte %llu", r->path,
                             (unsigned long long)r->entry[i].offset);
        r->loaded = SIZE_MAX;
        for (u32 n = 0; n < s.count; n++) {
            if (size - at < 16 || load_le32(r->raw + at + 12) > size - at - 16 ||
                load_le32(r->raw + at + 8) >= INPUT_SOURCES)
                return error_set(err, EXIT_FILE, "%s: cannot replay: an entry of the input log makes no sense",
                                 r->path);
            fn(context, load_le64(r->raw + at), load_le32(r->raw + at + 8), r->raw + at + 16,
               load_le32(r->raw + at + 12));
            at += 16 + load_le32(r->raw + at + 12);
        }
        if (at != size)
            return error_set(err, EXIT_FILE, "%s: cannot replay: the input log has bytes left over", r->path);
    }
    return true;
}
