// The `aoe` program.
#include "tools/command_table.h"
#include "tools/project_version.h"

int main(int argc, char** argv) {
  const aoe::tools::Program program{"aoe", "ATA over Ethernet: find, use, measure and export disks",
                                    aoe::tools::project_version(), aoe::tools::command_groups(),
                                    aoe::tools::command_table()};
  return static_cast<int>(aoe::tools::run_program(program, argc, argv));
}
