// aoe-targetd: exports files, block devices and memory as ATA over Ethernet disks.
#include "daemon/program.h"
#include "targetd/config_dump.h"
#include "targetd/daemon.h"
#include "targetd/options.h"

int main(int argc, char** argv) {
  using aoe::targetd::Options;
  using aoe::targetd::TargetConfig;
  return aoe::daemon::run_program<Options, TargetConfig>(
      {.name = "aoe-targetd",
       .parse = aoe::targetd::parse_command_line,
       .load = aoe::targetd::load_config,
       .dump = aoe::targetd::dump,
       .serve =
           [](const Options& options, const TargetConfig& config) {
             return aoe::targetd::Daemon(options).run(config);
           }},
      argc, argv);
}
