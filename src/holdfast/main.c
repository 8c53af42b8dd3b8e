/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/command.h"

int main(int argc, char **argv)
{
    return hf_program_main(&hf_program_holdfast, argc, argv);
}
