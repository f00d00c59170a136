// A target core with everything around it that a daemon would be: buffers, disks, a disk for the
// state, a clock, and an ear for what it sends.
#pragma once

#include "base/buffer_pool.h"
#include "support/frame_builder.h"
#include "support/model_disk.h"
#include "target/target_core.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aoe::test {

struct SentFrame {
  PortId port;
  Bytes bytes;
};

// Where the memory of received frames comes from: each has exactly its own bytes, so that
// AddressSanitizer sees a look behind the end.
class ReceivedFrames final : public BufferOwner {
 public:
  [[nodiscard]] PacketBuffer make(ConstByteSpan frame);

  void release_buffer(std::uint32_t index) noexcept override { frames_.erase(index); }

  [[nodiscard]] std::size_t outstanding() const { return frames_.size(); }

 private:
  std::map<std::uint32_t, std::unique_ptr<std::byte[]>> frames_;
  std::uint32_t next_ = 0;
};

struct HarnessOptions {
  target::TargetLimits limits;
  std::uint32_t buffers = 2048;
  std::size_t frame_bytes = 9014;
  std::size_t mtu_bytes = 9000;
  std::uint64_t seed = 1;
};

// Time begins at one second and moves only by advance(). Port 0 is up from the start. States are
// saved at once unless hold_saves() was called.
class TargetHarness {
 public:
  using Saved = target::StateKeeper::Saved;

  explicit TargetHarness(const HarnessOptions& options = {});

  [[nodiscard]] target::TargetCore& core() { return *core_; }

  [[nodiscard]] Instant now() const { return now_; }

  // ---- Exports ----------------------------------------------------------------------------------

  // e7.1 with 1024 sectors, writing through.
  [[nodiscard]] static target::ExportSettings settings(DeviceAddress address = kE71,
                                                       std::uint64_t sector_count = 1024);
  // Adds an export with an empty state, waits until it serves, and forgets the frames and events
  // that this made.
  ExportId serve(const target::ExportSettings& settings, target::PersistentState state = {});
  // The same without waiting.
  ExportId add(const target::ExportSettings& settings, target::PersistentState state = {});

  // The disk of an export; stays until the harness goes.
  [[nodiscard]] ModelDisk& disk(ExportId id) { return disks_.at(id.value); }

  [[nodiscard]] const target::Export& at(DeviceAddress address = kE71);

  // ---- Inputs, each followed by run()
  // -------------------------------------------------------------

  void deliver(const Bytes& frame, PortId port = PortId{0});
  // Delivers a frame and returns what was sent because of it.
  [[nodiscard]] std::vector<SentFrame> answers(const Bytes& frame, PortId port = PortId{0});
  // The same where there has to be exactly one answer; an empty frame when there is not.
  [[nodiscard]] SentFrame answer(const Bytes& frame, PortId port = PortId{0});
  void set_port(PortId port, const PortInfo& info);
  // Lets time pass, waking the core whenever it asked to be.
  void advance(Duration duration);

  // How long the frames that are delivered from now on waited in their port.
  void set_waited_ms(std::uint32_t waited_ms) { waited_ms_ = waited_ms; }

  // Time passes and nobody looks: the process stands still.
  void stand_still(Duration duration) { now_ = now_ + duration; }

  // Finishes a held operation of a disk.
  void finish(ExportId id, std::size_t index = 0, StoreErrc status = StoreErrc::ok);
  void finish_all(ExportId id);

  void hold_saves() { is_holding_saves_ = true; }

  void stop_holding_saves() { is_holding_saves_ = false; }

  [[nodiscard]] const std::vector<target::StateSave>& held_saves() const { return held_saves_; }

  // Answers the oldest held save.
  void finish_save(Saved saved = Saved::yes);

  // Every automatic save from now on fails, or succeeds again.
  void set_save_result(Saved saved) { save_result_ = saved; }

  // ---- Outputs
  // ------------------------------------------------------------------------------------

  // Drains the core until it wants nothing more.
  void run();

  [[nodiscard]] std::vector<SentFrame> take_frames() { return std::exchange(sent_, {}); }

  [[nodiscard]] std::vector<target::TargetEvent> take_events() {
    return std::exchange(events_, {});
  }

  // The blob that was saved last for an address; empty when none was.
  [[nodiscard]] Bytes saved_state(DeviceAddress address) const;

  [[nodiscard]] std::size_t save_count() const { return save_count_; }

  // Called before a frame is handed to the core, with the memory it lies in, and with every store
  // operation before its disk sees it. A write's data lies in such a frame.
  std::function<void(ConstByteSpan)> on_receive;
  std::function<void(ExportId, const StoreOp&)> on_store_op;

  // Broken promises so far, one a line; empty is good.
  [[nodiscard]] std::string problems() const;
  // What is wrong now that a test is over: buffers that did not return, requests in flight, broken
  // promises to a disk or to the wire. Empty is good.
  [[nodiscard]] std::string unfinished() const;

  [[nodiscard]] std::size_t buffers_out() const { return pool_.count() - pool_.available(); }

 private:
  void dirty_buffers();
  void check_sent(const SentFrame& frame);
  [[nodiscard]] bool run_stores();
  [[nodiscard]] bool run_saves();
  [[nodiscard]] bool run_transmit();

  HarnessOptions options_;
  BufferPool pool_;
  ReceivedFrames received_;
  std::map<std::uint32_t, ModelDisk> disks_;
  std::map<std::uint8_t, PortInfo> ports_;
  std::unique_ptr<target::TargetCore> core_;
  Instant now_{1'000'000'000};
  std::vector<SentFrame> sent_;
  std::vector<target::TargetEvent> events_;
  bool is_holding_saves_ = false;
  Saved save_result_ = Saved::yes;
  std::vector<target::StateSave> held_saves_;
  std::map<DeviceAddress, Bytes> saved_;
  std::size_t save_count_ = 0;
  std::uint32_t waited_ms_ = 0;
  std::string problems_;
};

}  // namespace aoe::test
