// The commands of aoetools.
#include "compat/aoetools/commands.h"

int main(int argc, char** argv) {
  return aoe::compat::run_program(aoe::compat::aoetools::commands(), argc, argv);
}
