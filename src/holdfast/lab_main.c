/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_command.h"

int main(int argc, char **argv)
{
    return hf_lab_main(argc, argv);
}
