// The structures of the modelled driver: its aoedev, aoetgt and frame.
#pragma once

#include "sim/models/linux_driver.h"

#include <map>

namespace aoe::sim {

struct LinuxFrame {
  std::uint32_t tag = 0;
  LinuxPath* path = nullptr;
  PortId port{};              // of the last transmission
  std::uint8_t command = 0;   // ATA
  bool is_probe = false;      // a read of sector 0, padded with zeros to the full payload
  std::uint64_t request = 0;  // number of the request; 0: none (IDENTIFY, probe)
  Lba lba{};
  ByteSpan read_into{};
  ConstByteSpan write_from{};
  std::uint8_t sectors = 0;
  Instant sent{};
  Duration waited{};        // on this path, before the last transmission
  Duration waited_total{};  // on all of them
};

// One remote MAC of a disk.
struct LinuxPath {
  struct Port {
    PortId port{};
    std::uint32_t payload_bytes = 0;
    std::uint32_t lost = 0;  // expiries since the last answer over it
  };

  MacAddress mac{};
  std::vector<Port> ports;
  std::size_t last_port = 0;
  std::uint32_t frames_max = 0;  // the target's buffers
  std::uint32_t out = 0;
  std::uint32_t probes_out = 0;
  std::uint32_t window = 1;
  std::uint32_t slow_start_until = 0;
  std::uint32_t answers_until_growth = 0;
  std::uint32_t taint = 0;

  void reset_window() {
    window = 1;
    slow_start_until = frames_max / 2;
    answers_until_growth = frames_max;
  }
};

struct LinuxDisk {
  struct Request {
    std::uint64_t number = 0;
    LinuxDriver::Request request;
    std::size_t bytes = 0;
    std::size_t sent_bytes = 0;
    std::uint32_t pieces_out = 0;
    bool failed = false;
  };

  DeviceAddress address{};
  bool is_up = false;
  bool is_open = false;
  bool has_lba48 = false;
  std::uint64_t sectors = 0;
  std::uint32_t payload_bytes = 0;
  // Fixed point as in the driver: microseconds << 8 and << 3.
  std::int64_t average = 0;
  std::int64_t deviation = 0;
  std::uint32_t last_tag = 0;
  Instant next_tick{};
  bool has_retransmit_timer = false;  // before the first IDENTIFY the timer does nothing
  bool wants_kick = false;
  std::vector<std::unique_ptr<LinuxPath>> paths;
  std::size_t last_path = 0;
  std::list<std::unique_ptr<LinuxFrame>> active;  // in the order of transmission
  std::unordered_map<std::uint32_t, std::list<std::unique_ptr<LinuxFrame>>::iterator> by_tag;
  std::list<std::unique_ptr<LinuxFrame>> deferred;  // expired, to be sent again
  std::uint64_t requests_made = 0;
  std::deque<std::uint64_t> waiting;  // requests with bytes left to send
  std::map<std::uint64_t, Request> requests;

  void reset_estimators() {
    average = std::int64_t{250'000} << 8U;
    deviation = average / 4;
  }

  [[nodiscard]] Duration rto() const {
    const std::int64_t us = (2 * average >> 8U) + (8 * deviation >> 3U);
    return Duration::microseconds(us < 1 ? 1 : us);
  }

  // `path`: whose window may grow; null when the sample was of a frame that had expired.
  void sample(Duration round_trip, LinuxPath* path);

  [[nodiscard]] std::uint32_t untainted() const {
    std::uint32_t count = 0;
    for (const auto& path : paths) {
      count += path->taint == 0 ? 1U : 0U;
    }
    return count;
  }
};

}  // namespace aoe::sim
