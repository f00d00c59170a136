// Reads, writes, flushes and holes of the device files.
#pragma once

#include "frontends/fuse/backend.h"
#include "frontends/fuse/connection.h"
#include "frontends/fuse/slot_pool.h"
#include "frontends/fuse/write_order.h"

#include <cstdint>
#include <map>

namespace aoe::fuse {

// Every call takes a slot over: it is answered, and given back, now or when its request has ended.
// Any offset and length will do; parts of sectors are read, changed and written back. Allocates in
// open() only.
class BlockIo {
 public:
  BlockIo(Backend& backend, Connection& connection, SlotPool& slots)
      : backend_(backend), connection_(connection), slots_(slots) {}

  // Before the first request for the device.
  void open(DeviceAddress address) { orders_.try_emplace(address); }

  struct Target {
    DeviceAddress address;
    Volume volume;
  };

  // Fewer bytes than asked for at the end of the device, none behind it.
  void read(std::uint32_t slot, const Target& target, const fuse_read_in& in);
  // As a block device: what lies behind the end is not written, and nothing there is ENOSPC. The
  // data stands behind the headers in the slot's buffer.
  void write(std::uint32_t slot, const Target& target, const fuse_write_in& in);
  void sync(std::uint32_t slot, const Target& target);
  // Holes and zeros, of whole sectors only (EINVAL, as for block devices).
  void allocate(std::uint32_t slot, const Target& target, const fuse_fallocate_in& in);

  // The cookie is the slot.
  void handle_completion(const client::IoCompletion& completion);

 private:
  void submit_or_fail(std::uint32_t slot, const client::IoRequest& request);
  [[nodiscard]] int start_write(std::uint32_t slot);
  [[nodiscard]] int read_edge(std::uint32_t slot, Step step, std::uint64_t sector);
  [[nodiscard]] int submit_write(std::uint32_t slot);
  // The next step of a write, after one that went well; nullopt when the write is done.
  [[nodiscard]] std::optional<int> next_of_write(std::uint32_t slot);
  void end_write(std::uint32_t slot, int os_errno);
  void answer_read(std::uint32_t slot);
  void finish(std::uint32_t slot, int os_errno, ConstByteSpan body = {});

  Backend& backend_;
  Connection& connection_;
  SlotPool& slots_;
  std::map<DeviceAddress, WriteOrder> orders_;
};

// How a request that failed is told to programs.
[[nodiscard]] int errno_of(const client::IoCompletion& completion);

}  // namespace aoe::fuse
