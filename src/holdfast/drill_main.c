/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_program.h"

int main(int argc, char **argv)
{
    return hf_program_main(&hf_program_drill, argc, argv);
}
