// One cable: two directions, each with a queue in front, a speed, a delay, and its faults.
#pragma once

#include "base/packet_buffer.h"
#include "base/prng.h"
#include "base/time.h"
#include "sim/world/event_queue.h"
#include "sim/world/world.h"

#include <cstddef>
#include <cstdint>

namespace aoe::sim {

// What hangs on the end of a cable: a port of a switch or of a host.
class LinkEnd {
 public:
  LinkEnd() = default;
  virtual ~LinkEnd() = default;
  LinkEnd(const LinkEnd&) = delete;
  LinkEnd& operator=(const LinkEnd&) = delete;

  // `port` is the end's own number, as given to Link::attach().
  virtual void handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) = 0;

  // The cable was plugged in or out.
  virtual void handle_carrier(Instant now, std::uint16_t port, bool up) = 0;
};

// Chances are in parts per million of frames.
struct LinkQuality {
  std::uint64_t bits_per_second = 1'000'000'000;
  std::size_t queue_bytes = 512 * 1024;  // waiting in front of the cable; what is beyond is lost
  std::size_t mtu_bytes = 0;  // longer ones vanish (Ethernet header not counted); 0 = off
  Duration delay = Duration::microseconds(5);
  Duration jitter{};  // up to this much more, without changing the order

  std::uint32_t loss_ppm = 0;
  std::uint32_t burst_ppm = 0;  // begins a row of burst_frames losses
  std::uint32_t burst_frames = 8;
  std::uint32_t duplicate_ppm = 0;  // arrives twice, the second time up to duplicate_delay later
  Duration duplicate_delay{};
  std::uint32_t reorder_ppm = 0;  // arrives up to reorder_delay later than its turn, alone
  Duration reorder_delay{};
  std::uint32_t tail_ppm = 0;  // the same with a heavy tail: half of them less than a 32nd of it
  Duration tail_delay{};
  std::uint32_t corrupt_ppm = 0;  // 1 to 3 bits flip behind the Ethernet header

  friend bool operator==(const LinkQuality&, const LinkQuality&) = default;
};

struct LinkCounters {
  std::uint64_t frames = 0;  // handed in
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;  // by chance
  std::uint64_t overflowed = 0;
  std::uint64_t oversized = 0;
  std::uint64_t unplugged = 0;  // the cable was out, or this direction was cut
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t checksum_caught = 0;  // corrupted, and recognised by the frame check sequence
};

// One way through a cable.
class LinkDirection final : public EventHandler {
 public:
  LinkDirection(World& world, std::uint64_t stream);

  // A burst that has begun ends where the new quality has none.
  void set_quality(const LinkQuality& quality) {
    quality_ = quality;
    burst_left_ = quality.burst_ppm == 0 ? 0 : burst_left_;
  }

  [[nodiscard]] const LinkQuality& quality() const { return quality_; }

  // Whether flipped bits reach the receiver. Otherwise the frame check sequence catches them, and a
  // corrupted frame is a lost one. A function of the frame, because only frames with a checksum of
  // their own may be damaged where everything else has none.
  using SurvivesCorruption = bool (*)(ConstByteSpan frame);

  void set_survives_corruption(SurvivesCorruption survives) { survives_ = survives; }

  // Frames are taken and vanish: the other direction may work.
  void set_cut(bool cut) { cut_ = cut; }

  // Frames arrive, but not before this instant.
  void clog_until(Instant until) { clogged_until_ = until; }

  void send(Instant now, PacketBuffer frame);

  // Bytes that wait in front of the cable.
  [[nodiscard]] std::size_t backlog_bytes(Instant now) const;

  [[nodiscard]] const LinkCounters& counters() const { return counters_; }

  void handle_event(Instant now, std::uint32_t what, std::uint64_t value) override;

 private:
  friend class Link;

  [[nodiscard]] bool happens(std::uint32_t ppm) { return ppm != 0 && prng_.chance(ppm, 1'000'000); }

  [[nodiscard]] Duration below(Duration limit);
  [[nodiscard]] bool is_lost();
  [[nodiscard]] Duration stray_delay();
  [[nodiscard]] bool corrupt(PacketBuffer& frame);
  void deliver_at(Instant at, PacketBuffer frame);

  World& world_;
  Prng prng_;
  LinkQuality quality_;
  SurvivesCorruption survives_ = nullptr;
  LinkEnd* to_ = nullptr;
  std::uint16_t to_port_ = 0;
  bool plugged_ = false;
  bool cut_ = false;
  Instant clogged_until_;
  Instant free_at_;       // when the last frame has left
  Instant last_arrival_;  // of those that keep their order
  std::uint32_t burst_left_ = 0;
  LinkCounters counters_;
};

// Both ways. Unplugged until attach() was called twice.
class Link {
 public:
  // `index` names the chance that the cable draws.
  Link(World& world, std::uint64_t index);

  // The near end sends through to_far(), the far end through to_near().
  void attach(LinkEnd& near, std::uint16_t near_port, LinkEnd& far, std::uint16_t far_port);

  [[nodiscard]] LinkDirection& to_far() { return to_far_; }

  [[nodiscard]] LinkDirection& to_near() { return to_near_; }

  void set_quality(const LinkQuality& quality);

  [[nodiscard]] bool is_plugged() const { return to_far_.plugged_; }

  // Frames on the way are lost when it is pulled out. Both ends are told.
  void set_plugged(Instant now, bool plugged);

 private:
  LinkDirection to_far_;
  LinkDirection to_near_;
};

}  // namespace aoe::sim
