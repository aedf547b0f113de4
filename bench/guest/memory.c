/* SPDX-License-Identifier: MIT
 * The functions that a compiler may call even for a program without a C library. Compiled without the recognition of
 * such loops, which would turn each into a call of itself.
 */
typedef __SIZE_TYPE__ size;

void *memset(void *to, int value, size n);
void *memcpy(void *restrict to, const void *restrict from, size n);

void *memset(void *to, int value, size n)
{
    for (unsigned char *p = to; n != 0; n--)
        *p++ = (unsigned char)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size n)
{
    const unsigned char *q = from;

    for (unsigned char *p = to; n != 0; n--)
        *p++ = *q++;
    return to;
}
