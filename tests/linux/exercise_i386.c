#include "exercise.h"
void exercise_i386(void) {}
