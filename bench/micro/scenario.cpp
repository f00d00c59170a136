// aoe-scenario: the target's core answers a fixed number of requests, for who counts instructions
// (bench/count-instructions).
#include "micro/target_turn.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  using aoe::bench::TargetTurn;
  const std::string_view op = argc == 4 ? argv[1] : "";
  const unsigned long data_bytes = argc == 4 ? std::strtoul(argv[2], nullptr, 10) : 0;
  const unsigned long batches = argc == 4 ? std::strtoul(argv[3], nullptr, 10) : 0;
  if ((op != "read" && op != "write") || data_bytes == 0 || data_bytes % 512 != 0 ||
      data_bytes > 8192) {
    fmt::print(stderr, "usage: aoe-scenario read|write BYTES BATCHES\n");
    return 2;
  }
  TargetTurn turn(op == "read" ? TargetTurn::Op::read : TargetTurn::Op::write, data_bytes);
  for (unsigned long i = 0; i < batches; ++i) {
    turn.run();
  }
  fmt::print("{}\n", turn.answers());
  return turn.answers() == batches * TargetTurn::kBatch ? 0 : 1;
}
