/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/command.h"

int main(int argc, char **argv)
{
    return hf_command_main(argc, argv);
}
