// The Linux kernel's aoe driver (v85) as a state machine: the peer that targets meet most.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace aoe::sim {

struct LinuxFrame;
struct LinuxPath;
struct LinuxDisk;

// What the driver does with round trips, windows, losses and several MACs of a target, after
// drivers/block/aoe/aoecmd.c and aoedev.c of Linux 6 and 7:
//
//   sample r (us): avg += (r - avg) / 256, dev += (|r - avg| - dev) / 8, over all paths of the disk
//   RTO = 2 avg + 8 dev, looked at every 100 ms, never doubled; at first 16.5 s
//   window of each remote MAC: starts at half the target's buffers; one expired frame makes it 1
//   and the slow start threshold half of what it was; one frame more an answer below the
//   threshold, one a window above it
//   a retransmission waits for room in the window and carries a new tag; nothing else backs off
//   a frame that waits longer than min(180 s / MACs, 10 s) taints its MAC; 180 s kill the disk
//
// The block layer above it is the caller: requests of any size, 128 of a disk at a time. Data is
// copied between their memory, which stays the caller's, and the frames.
//
// Frames in and out, virtual time; allocates as it likes.
class LinuxDriver {
 public:
  struct Options {
    std::uint32_t maxout = 64;  // aoe_maxout: most frames in flight for one MAC of a disk
    Duration dead_after = Duration::seconds(180);  // aoe_deadsecs; 0 = never
    std::uint32_t ticks_per_second = 250;          // HZ, the clock in the tags
    std::uint32_t first_ticks = 0;                 // jiffies at the instant 0
    Duration discovery_interval = Duration::seconds(60);
  };

  explicit LinuxDriver(const Options& options);
  ~LinuxDriver();
  LinuxDriver(const LinuxDriver&) = delete;
  LinuxDriver& operator=(const LinuxDriver&) = delete;

  // --- network ---

  void add_interface(PortId port, const MacAddress& mac, std::size_t mtu_bytes);
  void handle_frame(Instant now, PortId port, ConstByteSpan frame);

  struct Outgoing {
    PortId port{};
    std::vector<std::byte> bytes;
  };

  // The next frame to send, if any.
  [[nodiscard]] std::optional<Outgoing> poll_transmit();

  // --- time ---

  // The first call asks for every target, as loading the module does.
  void handle_timeout(Instant now);
  [[nodiscard]] Instant poll_timeout() const;

  // --- block layer ---

  // Up, and its size known.
  [[nodiscard]] bool is_up(DeviceAddress address) const;
  [[nodiscard]] std::uint64_t sectors(DeviceAddress address) const;

  // While a disk is open it is not identified again: its estimators live on, and once it is down it
  // stays down until it was closed and discovered again. Closing asks for the disk.
  void open(DeviceAddress address);
  void close(DeviceAddress address);

  struct Request {
    std::uint64_t cookie = 0;
    Lba lba{};
    ByteSpan read_into{};        // one of the two, whole sectors
    ConstByteSpan write_from{};  // stays as it is until the completion
  };

  // False when the disk is not up or has 128 requests.
  [[nodiscard]] bool submit(Instant now, DeviceAddress address, const Request& request);

  struct Completion {
    DeviceAddress address{};
    std::uint64_t cookie = 0;
    bool ok = false;
  };

  [[nodiscard]] std::optional<Completion> poll_completion();

  // --- views ---

  struct Counters {
    std::uint64_t retransmissions = 0;
    std::uint64_t unexpected = 0;  // answers to tags that were given up
    std::uint64_t disks_killed = 0;
  };

  [[nodiscard]] const Counters& counters() const { return counters_; }

  [[nodiscard]] Duration rto(DeviceAddress address) const;
  // Sum over the MACs.
  [[nodiscard]] std::uint32_t window_frames(DeviceAddress address) const;

 private:
  struct Interface {
    PortId port{};
    MacAddress mac{};
    std::size_t mtu_bytes = 0;
  };

  [[nodiscard]] LinuxDisk* find(DeviceAddress address) const;
  [[nodiscard]] const Interface* interface(PortId port) const;
  [[nodiscard]] std::uint32_t ticks(Instant now) const;
  [[nodiscard]] std::uint32_t new_tag(Instant now, LinuxDisk& disk) const;

  void discover(DeviceAddress address);
  void on_config(Instant now, PortId port, ConstByteSpan frame);
  void on_ata(Instant now, PortId port, ConstByteSpan frame);
  void identify(Instant now, LinuxDisk& disk);
  void complete(Instant now, LinuxDisk& disk, LinuxFrame& frame, PortId port, ConstByteSpan answer);

  // The next MAC with room, round robin; tainted ones only when there are no others.
  [[nodiscard]] LinuxPath* choose(LinuxDisk& disk) const;
  void work(Instant now, LinuxDisk& disk);
  [[nodiscard]] bool send_next_piece(Instant now, LinuxDisk& disk);
  void send_deferred(Instant now, LinuxDisk& disk);
  void probe(Instant now, LinuxDisk& disk, LinuxPath& path);
  void activate(Instant now, LinuxDisk& disk, std::unique_ptr<LinuxFrame> frame);
  void transmit(const LinuxDisk& disk, const LinuxFrame& frame);
  void tick(Instant now, LinuxDisk& disk);
  void expire(Instant now, LinuxDisk& disk, LinuxFrame& frame);
  void kill(LinuxDisk& disk);
  void end_piece(LinuxDisk& disk, std::uint64_t request, bool ok);

  Options options_;
  std::vector<Interface> interfaces_;
  std::vector<std::unique_ptr<LinuxDisk>> disks_;
  std::deque<Outgoing> outgoing_;
  std::deque<Completion> completions_;
  Instant next_discovery_;
  Counters counters_;
};

}  // namespace aoe::sim
