/* SPDX-License-Identifier: MIT
 * Ordered key = value pairs, and the schema text: the readable parts of a trace file.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "trace/file/file.h"

static void *check(void *p)
{
    if (!p)
        abort();
    return p;
}

void trace_properties_set(struct trace_properties *p, const char *key, const char *fmt, ...)
{
    va_list args, again;
    char *value;
    int size;
    size_t i;

    va_start(args, fmt);
    va_copy(again, args);
    size = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (size < 0)
        abort();
    value = check(malloc((size_t)size + 1));
    vsnprintf(value, (size_t)size + 1, fmt, args);
    va_end(args);
    for (char *c = value; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    for (i = 0; i < p->count; i++)
        if (!strcmp(p->item[i].key, key)) {
            free(p->item[i].value);
            p->item[i].value = value;
            return;
        }
    assert(p->count < TRACE_PROPERTIES_MAX);
    p->item[i].key = check(strdup(key));
    p->item[i].value = value;
    p->count++;
}

const char *trace_properties_get(const struct trace_properties *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->item[i].key, key))
            return p->item[i].value;
    return NULL;
}

void trace_properties_free(struct trace_properties *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->item[i].key);
        free(p->item[i].value);
    }
    p->count = 0;
}

char *trace_properties_text(const struct trace_properties *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = check(open_memstream(&text, &size));

    for (size_t i = 0; p && i < p->count; i++)
        fprintf(out, "%s=%s\n", p->item[i].key, p->item[i].value);
    fclose(out);
    return check(text);
}

bool trace_properties_parse(struct trace_properties *p, const char *text, size_t size)
{
    while (size) {
        const char *end = memchr(text, '\n', size);
        const char *equals = end ? memchr(text, '=', (size_t)(end - text)) : NULL;

        if (!equals || equals == text || p->count == TRACE_PROPERTIES_MAX || memchr(text, '\0', (size_t)(end - text)))
            return false;
        char *key = check(strndup(text, (size_t)(equals - text)));
        trace_properties_set(p, key, "%.*s", (int)(end - equals - 1), equals + 1);
        free(key);
        size -= (size_t)(end + 1 - text);
        text = end + 1;
    }
    return true;
}

static void list(FILE *out, const char *enumeration, unsigned count, const char *(*name)(unsigned))
{
    fprintf(out, "enum\t%s", enumeration);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "\t%s", name(i));
    fputc('\n', out);
}

static const char *rule_of(unsigned i) { return rule_name((enum rule)i); }

char *trace_schema_text(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = check(open_memstream(&text, &size));

    fprintf(out, "ringside-trace\t%u\nrecord\t%zu\n", TRACE_SCHEMA_VERSION, sizeof(struct event_record));
    for (unsigned i = 0; i < EVENT_FIELDS; i++) {
        const struct event_field_info *f = event_field_info(i);

        fprintf(out, "field\t%s\t%s\t%u\t%s\t%s\t%s\t%s\n", f->name, f->type, f->offset, f->codec, f->unit, f->json,
                f->doc);
    }
    list(out, "kind", EVENT_KINDS, event_kind_name);
    list(out, "mode", MODE_LONG + 1, event_mode_name);
    list(out, "gate", GATE_KINDS, event_gate_name);
    list(out, "stack", STACK_SOURCES, event_stack_name);
    list(out, "mechanism", MECHANISMS, event_mechanism_name);
    list(out, "rule", RULES, rule_of);
    fclose(out);
    return check(text);
}
