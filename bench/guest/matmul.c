/* SPDX-License-Identifier: MIT
 * The product of two matrices of double, one multiplication and one addition at a time. Compiled twice, with the
 * compiler's option and MATMUL saying which unit does the arithmetic: SSE2's scalar instructions or the x87 stack.
 */
#include "workload.h"

enum { SIZE = 32 };

static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];

static void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            double sum = 0;

            for (int k = 0; k < SIZE; k++)
                sum += left[i][k] * right[k][j];
            product[i][j] = sum;
        }
}

/* All values are whole numbers below 2^53, so both units give the same result exactly. */
word MATMUL(word count)
{
    int sum = 0;

    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            left[i][j] = i + j;
            right[i][j] = i - j;
        }
    for (word turn = 0; turn < count; turn++) {
        left[turn % SIZE][0] += 1;
        multiply();
        sum += (int)product[turn % SIZE][SIZE / 2] & 0xFFFF;
    }
    return (word)sum;
}
