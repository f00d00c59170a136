// aoe-micro: what the parts of the path of a request take on this machine.
#include "base/crc32c.h"
#include "micro/target_turn.h"
#include "protocol/aoe_session.h"
#include "target/duplicate_filter.h"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::bench {
namespace {

void crc32c_of(benchmark::State& state) {
  const std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  for (auto _ : state) {
    benchmark::DoNotOptimize(crc32c(bytes));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void parse_request(benchmark::State& state) {
  std::vector<std::byte> frame(protocol::kFrameBytesMin);
  protocol::build_header(frame, {});
  protocol::build_ata(frame, {});
  for (auto _ : state) {
    benchmark::DoNotOptimize(protocol::parse_header(frame));
    benchmark::DoNotOptimize(protocol::parse_ata(frame));
  }
}

void parse_sealed_write(benchmark::State& state) {
  std::vector<std::byte> frame(protocol::sealed_frame_bytes(4096));
  protocol::build_header(frame, {});
  protocol::build_ata(frame, {});
  protocol::build_seal(frame, {.has_crc = true, .session = 1, .sequence = 1, .sequence_low = 1});
  for (auto _ : state) {
    benchmark::DoNotOptimize(protocol::parse_sealed(frame));
  }
}

void duplicate_filter(benchmark::State& state) {
  target::DuplicateFilter filter(16, 1024);
  filter.open(3, 1);
  std::uint32_t sequence = 1;
  for (auto _ : state) {
    filter.advance(3, sequence > 64 ? sequence - 64 : 1);
    benchmark::DoNotOptimize(filter.look_up(3, sequence, {}));
    filter.begin(3, sequence, {}, 0);
    filter.finish(3, sequence, {});
    ++sequence;
  }
}

void target_turn(benchmark::State& state) {
  TargetTurn turn(state.range(0) == 0 ? TargetTurn::Op::read : TargetTurn::Op::write,
                  static_cast<std::size_t>(state.range(1)));
  for (auto _ : state) {
    turn.run();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(turn.answers()));
}

BENCHMARK(crc32c_of)->Arg(60)->Arg(1024)->Arg(4096)->Arg(8192);
BENCHMARK(parse_request);
BENCHMARK(parse_sealed_write);
BENCHMARK(duplicate_filter);
BENCHMARK(target_turn)->ArgNames({"write", "bytes"})->ArgsProduct({{0, 1}, {1024, 8192}});

}  // namespace
}  // namespace aoe::bench

BENCHMARK_MAIN();
