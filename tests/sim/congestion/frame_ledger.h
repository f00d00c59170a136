// What really happened to every frame, which no host can know.
#pragma once

#include "base/ids.h"
#include "base/latency_histogram.h"
#include "base/mac_address.h"
#include "base/time.h"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace aoe::sim {

// One piece of one request of one host. Each host asks for a place of a disk once at a time.
struct PieceKey {
  std::uint16_t host = 0;
  std::uint8_t slot = 0;
  Lba lba{};
};

// A retransmission was needless when a copy sent before it had not been lost, on the way out, in
// the target's buffer, or on the way back.
class FrameLedger {
 public:
  struct Second {
    std::uint64_t answered = 0;  // pieces, each once
    std::uint64_t sent = 0;
    std::uint64_t retransmitted = 0;
    std::uint64_t needless = 0;
    std::uint64_t lost = 0;
    LatencyHistogram latency{};  // first transmission to the answer
  };

  FrameLedger(Instant start, std::uint32_t seconds, std::uint16_t hosts)
      : start_(start), seconds_(seconds), answered_by_host_(hosts) {}

  void on_sent(Instant now, const PieceKey& key);
  void on_lost(Instant now, const PieceKey& key);
  // The host has its answer.
  void on_answered(Instant now, const PieceKey& key);

  [[nodiscard]] const std::vector<Second>& seconds() const { return seconds_; }

  [[nodiscard]] const std::vector<std::uint64_t>& answered_by_host() const {
    return answered_by_host_;
  }

 private:
  struct Piece {
    Instant first_sent{};
    std::uint32_t transmissions = 0;
    std::uint32_t lost = 0;
  };

  [[nodiscard]] static std::uint64_t word(const PieceKey& key) {
    return static_cast<std::uint64_t>(key.host) << 48U |
           static_cast<std::uint64_t>(key.slot) << 40U | key.lba.value;
  }

  [[nodiscard]] Second& second(Instant now);

  Instant start_;
  std::vector<Second> seconds_;
  std::vector<std::uint64_t> answered_by_host_;
  std::unordered_map<std::uint64_t, Piece> pieces_;
};

// Stations of the scenario: the host, or the target, is in the address.
[[nodiscard]] constexpr MacAddress host_mac(std::uint16_t host, std::uint8_t port) {
  return {{2, 0xA, port, 0, static_cast<std::uint8_t>(host >> 8U),
           static_cast<std::uint8_t>(host & 0xFFU)}};
}

[[nodiscard]] constexpr std::uint16_t host_of(const MacAddress& mac) {
  return static_cast<std::uint16_t>(mac.octets[4] << 8U | mac.octets[5]);
}

[[nodiscard]] constexpr MacAddress target_mac(std::uint8_t port) {
  return {{2, 0xB, port, 0, 0, 0}};
}

}  // namespace aoe::sim
