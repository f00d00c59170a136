// The command lines of vblade and AoEde.
#include "compat/vblade/commands.h"

int main(int argc, char** argv) {
  return aoe::compat::run_program(aoe::compat::vblade::commands(), argc, argv);
}
