// aoe-shard-turns: the cores of two shards answer requests one after the other, for who traces what
// each of them touches (bench/false-sharing).
#include "micro/target_turn.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>

namespace aoe::bench {
namespace {

constexpr unsigned kTurns = 8;

// Each store to it begins another part of the trace. In a line of its own.
alignas(64) std::atomic<std::uint64_t> marker{0};

// What a careless statistic would be: words of both shards side by side.
struct alignas(64) Neighbours {
  std::atomic<std::uint64_t> first{0};
  std::atomic<std::uint64_t> second{0};
};

Neighbours neighbours;

void run(TargetTurn& turn, std::atomic<std::uint64_t>* counter) {
  for (unsigned i = 0; i < kTurns; ++i) {
    turn.run();
    if (counter != nullptr) {
      counter->store(turn.answers());
    }
  }
}

int run_both(bool is_control) {
  // Both made by one thread, as a daemon makes its shards: what the allocator puts side by side
  // here is side by side there.
  const auto first = std::make_unique<TargetTurn>(TargetTurn::Op::read, 1024);
  const auto second = std::make_unique<TargetTurn>(TargetTurn::Op::write, 1024);
  // Tables that are filled on first use are filled now.
  run(*first, nullptr);
  run(*second, nullptr);
  const int on_stack = 0;
  fmt::print("{:x} {:x}\n", reinterpret_cast<std::uintptr_t>(&marker),
             reinterpret_cast<std::uintptr_t>(&on_stack));
  (void)std::fflush(stdout);
  marker.store(1);
  run(*first, is_control ? &neighbours.first : nullptr);
  marker.store(2);
  run(*second, is_control ? &neighbours.second : nullptr);
  marker.store(3);
  return first->answers() == second->answers() ? 0 : 1;
}

}  // namespace
}  // namespace aoe::bench

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (argc > 2 || (!mode.empty() && mode != "control")) {
    fmt::print(stderr, "usage: aoe-shard-turns [control]\n");
    return 2;
  }
  return aoe::bench::run_both(mode == "control");
}
