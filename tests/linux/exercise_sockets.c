#include "exercise.h"
void exercise_sockets(void) {}
