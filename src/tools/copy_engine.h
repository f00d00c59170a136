// Moves blocks from one end of a copy to the other with many under way.
#pragma once

#include "base/result.h"
#include "tools/copy_end.h"
#include "tools/stop_signal.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace aoe::tools {

// The memory of all blocks. Declare it before the ends: see CopyBlock.
class CopyBuffers {
 public:
  struct Options {
    std::size_t block_bytes = 0;  // a multiple of 512
    std::size_t block_count = 0;
  };

  explicit CopyBuffers(Options options);

  [[nodiscard]] std::size_t block_bytes() const { return options_.block_bytes; }

  [[nodiscard]] std::vector<CopyBlock>& blocks() { return blocks_; }

 private:
  Options options_;
  std::vector<std::byte> memory_;
  std::vector<CopyBlock> blocks_;
};

// One pass over the data. Single use.
class CopyEngine {
 public:
  struct Options {
    CopyEnd& source;
    CopyEnd& destination;
    CopyBuffers& buffers;
    // What to copy; absent: until the source ends.
    std::optional<std::uint64_t> total_bytes{};
    // Takes a hash of every block, in the order of the data.
    std::vector<std::uint64_t>* hashes = nullptr;
    // Called now and then with the bytes that are done.
    std::function<void(std::uint64_t)> on_progress{};
    // Asked now and then; true ends the copy with an error.
    std::function<bool()> is_stopped{};
  };

  explicit CopyEngine(Options options);

  // The bytes copied. Does not call prepare() or finish(). Errors: the first of either end; after
  // it blocks may still be under way. An interruption is Errc::io with the bytes done in its text.
  [[nodiscard]] Result<std::uint64_t> run();

 private:
  [[nodiscard]] Result<void> start_reads();
  [[nodiscard]] Result<void> take_reads();
  [[nodiscard]] Result<void> start_writes();
  [[nodiscard]] Result<void> take_writes();
  [[nodiscard]] bool has_more_to_read() const;
  void wait_for_an_end();

  Options options_;
  std::vector<CopyBlock*> free_;
  std::map<std::uint64_t, CopyBlock*> ready_;  // read, not yet written, by offset
  std::vector<CopyBlock*> done_;               // scratch of the two take_ functions
  std::uint64_t next_read_ = 0;
  std::uint64_t next_write_ = 0;  // for a destination that takes blocks in order
  std::uint64_t written_ = 0;
  bool source_ended_ = false;
  bool moved_ = false;  // something happened in this turn
  bool wait_on_source_ = false;
};

}  // namespace aoe::tools
