// The collapse of the mailing lists, in simulated time: hosts, two fabrics, one shelf.
#pragma once

#include "base/latency_histogram.h"
#include "base/time.h"
#include "initiator/options.h"
#include "sim/world/link.h"
#include "sim/world/sim_disk.h"

#include <cstdint>
#include <vector>

namespace aoe::sim {

enum class DriverKind : std::uint8_t { linux_model, core };

struct CongestionOptions {
  std::uint64_t seed = 1;
  DriverKind driver = DriverKind::core;
  std::uint16_t hosts = 4;
  std::uint8_t slots = 3;
  std::uint16_t buffers = 64;
  std::uint32_t seconds = 120;
  std::uint32_t depth = 128;  // requests of each disk and host
  // Hosts look for their disks one after the other, and begin to use them within this time, as
  // after a power failure. The first second of the report is when the first one begins.
  Duration start_spread = Duration::seconds(1);
  DiskSpeed disk = spinning_disk();
  std::vector<LinkQuality> fabrics = {{}, {}};  // one port of every station each
  std::uint32_t request_loss_ppm = 0;
  std::uint32_t answer_loss_ppm = 0;
  initiator::DeviceSettings settings{};

  // 7200 turns a minute, one request at a time in order of arrival, and one operation of 500 that
  // takes up to a second longer (a retry, a recalibration).
  [[nodiscard]] static DiskSpeed spinning_disk();
  // 32 requests at a time, 100 us and up to as much again each.
  [[nodiscard]] static DiskSpeed flash_disk();
};

struct CongestionReport {
  struct Second {
    std::uint64_t answered = 0;
    std::uint64_t sent = 0;
    std::uint64_t retransmitted = 0;
    std::uint64_t needless = 0;
    std::uint64_t lost = 0;
    Duration latency_p99{};
  };

  std::vector<Second> seconds;
  std::uint64_t answered = 0;
  std::uint64_t capacity = 0;  // what the disks do in the time when they are never idle
  std::uint64_t sent = 0;
  std::uint64_t retransmitted = 0;
  std::uint64_t needless = 0;
  std::uint64_t lost = 0;        // frames and answers, by chance or for want of a buffer
  std::uint64_t overflowed = 0;  // of these, for want of a buffer
  std::uint32_t held_max = 0;    // most frames in the target at a time
  double held_mean = 0;
  double jain = 0;  // fairness between the hosts by answers, 1 = equal
  Duration latency_p50{};
  Duration latency_p99{};
  Duration latency_max{};
  std::uint64_t events = 0;
  initiator::CoreStats core{};  // summed over the hosts; zeros for the Linux model

  [[nodiscard]] double goodput() const {
    return static_cast<double>(answered) / static_cast<double>(capacity);
  }

  [[nodiscard]] double needless_ratio() const {
    return static_cast<double>(needless) / static_cast<double>(sent);
  }

  [[nodiscard]] double retransmission_ratio() const {
    return static_cast<double>(retransmitted) / static_cast<double>(sent);
  }
};

[[nodiscard]] CongestionReport run_congestion(const CongestionOptions& options);

}  // namespace aoe::sim
