// The commands of the Solaris AoE package.
#include "compat/solaris/commands.h"

#include <array>

int main(int argc, char** argv) {
  using aoe::compat::Command;
  namespace solaris = aoe::compat::solaris;
  constexpr std::array kCommands{
      Command{"aoectl", solaris::run_aoectl},
      Command{"aoekstat", solaris::run_aoekstat},
      Command{"aoelabinit", solaris::run_aoelabinit},
      Command{"aoemkconf", solaris::run_aoemkconf},
      Command{"aoemon", solaris::run_aoemon},
      Command{"aoestart", solaris::run_aoestart},
      Command{"aoestop", solaris::run_aoestop},
      Command{"aoeunlabel", solaris::run_aoeunlabel},
  };
  return aoe::compat::run_program(kCommands, argc, argv);
}
