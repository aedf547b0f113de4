/* SPDX-License-Identifier: MIT
 * Pseudo-random numbers (splitmix64).
 */
#include "generate.h"

u64 rng_next(struct rng *rng)
{
    u64 z = rng->state += 0x9E3779B97F4A7C15;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

u32 rng_below(struct rng *rng, u32 below) { return (u32)(rng_next(rng) >> 32) % below; }

bool rng_chance(struct rng *rng, u32 percent) { return rng_below(rng, 100) < percent; }
