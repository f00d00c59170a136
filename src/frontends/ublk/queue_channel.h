// A queue at the real driver: its ring, its mapped descriptors, its buffers.
#pragma once

#include "base/result.h"
#include "frontends/ublk/completion_box.h"
#include "frontends/ublk/queue.h"
#include "os/mapped_memory.h"

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace aoe::ublk {

// Made by any thread; run() and all that it calls belong to the one that the driver then takes for
// the server of the queue.
class QueueChannel final : private CommandSink {
 public:
  struct Options {
    int channel_fd = -1;  // /dev/ublkcN; outlives this object
    std::uint16_t queue = 0;
    std::uint16_t depth = 0;
    std::uint32_t buffer_bytes = 0;  // for one tag, a multiple of the page
  };

  // Errors: io, with what could not be had.
  [[nodiscard]] static Result<std::unique_ptr<QueueChannel>> create(const Options& options,
                                                                    Disk& disk);
  QueueChannel(const QueueChannel&) = delete;
  QueueChannel& operator=(const QueueChannel&) = delete;
  // After run() has returned, so that the kernel uses none of it.
  ~QueueChannel() override;

  // Serves until the driver takes no more.
  void run();

 private:
  explicit QueueChannel(const Options& options) : options_(options) {}

  [[nodiscard]] Result<void> open(Disk& disk);
  void fetch(std::uint16_t tag, std::span<std::byte> buffer) override;
  void commit_and_fetch(std::uint16_t tag, std::int32_t result,
                        std::span<std::byte> buffer) override;
  void command(std::uint32_t operation, const uapi::IoCommand& command);
  [[nodiscard]] io_uring_sqe* next_entry();
  void wait_for_ends();
  void handle(const io_uring_cqe& done);

  Options options_;
  io_uring ring_{};
  bool has_ring_ = false;
  void* descriptors_ = nullptr;
  std::size_t descriptors_bytes_ = 0;
  os::MappedMemory buffers_;
  std::unique_ptr<CompletionBox> box_;
  std::optional<Queue> queue_;
};

}  // namespace aoe::ublk
