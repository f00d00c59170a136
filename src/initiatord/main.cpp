// aoe-initiatord: keeps ATA over Ethernet disks for this host.
#include "daemon/program.h"
#include "initiatord/daemon.h"
#include "initiatord/options.h"

int main(int argc, char** argv) {
  using aoe::initiatord::InitiatorConfig;
  using aoe::initiatord::Options;
  return aoe::daemon::run_program<Options, InitiatorConfig>(
      {.name = "aoe-initiatord",
       .parse = aoe::initiatord::parse_command_line,
       .load = aoe::initiatord::load_config,
       .dump = aoe::initiatord::dump,
       .serve =
           [](const Options& options, const InitiatorConfig& config) {
             return aoe::initiatord::Daemon(options).run(config);
           }},
      argc, argv);
}
