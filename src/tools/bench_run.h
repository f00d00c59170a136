// The work of `aoe bench`: keeps a number of requests under way on one device and times them.
#pragma once

#include "base/latency_histogram.h"
#include "base/prng.h"
#include "base/result.h"
#include "base/time.h"
#include "client/device.h"
#include "tools/stop_signal.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::tools {

enum class BenchOp : std::uint8_t { read, write, mixed };
enum class BenchPattern : std::uint8_t { random, sequential };
enum class BenchVerify : bool { no, yes };

struct BenchOptions {
  BenchOp op = BenchOp::read;
  BenchPattern pattern = BenchPattern::random;
  BenchVerify verify = BenchVerify::no;
  std::size_t block_bytes = 4096;         // a multiple of 512
  std::size_t depth = 16;                 // requests under way
  Duration time = Duration::seconds(10);  // 0: until the stop signal, which is no interruption then
  std::uint64_t range_sectors = 0;        // from LBA 0; at least one block
  std::uint64_t seed = 0;
};

struct BenchResult {
  LatencyHistogram reads;
  LatencyHistogram writes;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  Duration elapsed{};     // of the measured part, until the last answer and the flush
  Duration flush_time{};  // contained in it
  std::uint64_t retransmissions = 0;
  std::uint64_t blocks_verified = 0;
  bool interrupted = false;
};

// Single use. The device must stay open for the run's life, and is closed by its owner before the
// run goes: requests may still use the run's memory after an error.
class BenchRun {
 public:
  // With verify, one counter a block of the range is kept.
  BenchRun(client::Device& device, const BenchOptions& options, StopSignal& stop);

  // Errors: the first failed request; corrupt where verification finds a wrong sector.
  [[nodiscard]] Result<BenchResult> run();

 private:
  struct Slot {
    ByteSpan memory;
    initiator::IoOp op = initiator::IoOp::read;
    std::uint64_t block = 0;
    std::uint32_t generation = 0;  // with verify: what a read must find, what a write leaves
  };

  [[nodiscard]] Result<void> measure();
  [[nodiscard]] Result<void> read_back();
  [[nodiscard]] Result<void> start(Slot& slot);
  [[nodiscard]] Result<void> submit(std::size_t index);
  [[nodiscard]] Result<void> take_completions();
  [[nodiscard]] Result<void> finish_slot(const initiator::IoCompletion& completion);
  [[nodiscard]] Result<void> drain();
  [[nodiscard]] std::uint64_t next_block();
  [[nodiscard]] initiator::IoOp next_op();
  [[nodiscard]] Lba lba_of(std::uint64_t block) const;
  [[nodiscard]] std::uint64_t retransmissions() const;

  client::Device& device_;
  BenchOptions options_;
  StopSignal& stop_;
  Prng prng_;
  std::uint64_t block_count_;
  std::vector<std::byte> memory_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
  std::vector<std::uint32_t> generations_;  // by block, with verify
  std::vector<bool> busy_;                  // by block, with verify: a request is under way
  std::uint64_t sequential_next_ = 0;
  bool measuring_ = true;
  BenchResult result_;
};

}  // namespace aoe::tools
