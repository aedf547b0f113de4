/* SPDX-License-Identifier: MIT
 * Short loops in ring 3: an empty one, the sieve of Eratosthenes, and one string instruction.
 */
#include "workload.h"

word work_loop(word count)
{
    for (word i = 0; i < count; i++) {
        word turns = 1000000;

        __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns) : : "cc");
    }
    return count;
}

enum { LIMIT = 65536 };

static unsigned char composite[LIMIT];

word work_sieve(word count)
{
    word primes = 0;

    for (word turn = 0; turn < count; turn++) {
        for (word i = 0; i < LIMIT; i++)
            composite[i] = 0;
        for (word i = 2; i < LIMIT; i++) {
            if (composite[i])
                continue;
            primes++;
            for (word j = 2 * i; j < LIMIT; j += i)
                composite[j] = 1;
        }
    }
    return primes;
}

enum { BLOCK = 65536 };

static unsigned char source[BLOCK], target[BLOCK];

word work_movsb(word count)
{
    word sum = 0;

    for (word i = 0; i < BLOCK; i++)
        source[i] = (unsigned char)(i * 7);
    for (word i = 0; i < count; i++) {
        const unsigned char *from = source;
        unsigned char *to = target;
        word bytes = BLOCK;

        source[i % BLOCK]++;
        __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(bytes) : : "memory");
        sum += target[i % BLOCK];
    }
    return sum;
}
