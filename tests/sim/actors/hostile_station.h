// A machine on the same network that sends what nobody should.
#pragma once

#include "base/prng.h"
#include "sim/actors/station.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::sim {

// It knows the addresses of the others, and hears what the switches flood. It is on no access list,
// so that its writes are not to be executed; it cannot know tags, sessions and checksums. (Whoever
// forges the address of an initiator, and plain AoE, can write: that is what SECURITY.md says, and
// is not tried here.)
//
// Sends bursts of: noise, frames cut off anywhere, commands of its own that change data or state,
// answers to questions that were never asked, advertisements of targets that do not exist, sealed
// frames that it heard.
class HostileStation final : public Station {
 public:
  struct Options {
    Duration pause_max = Duration::milliseconds(20);  // between two bursts
    std::uint32_t burst_max = 16;                     // frames
    bool replays = false;  // frames it heard: harmless where there are sessions
  };

  HostileStation(World& world, const Options& options);

  void add_victim(const MacAddress& mac) { victims_.push_back(mac); }

  void add_address(DeviceAddress address) { addresses_.push_back(address); }

  void start();

  void stop() { active_ = false; }

  [[nodiscard]] std::uint64_t frames_sent() const { return sent_; }

 private:
  static constexpr std::size_t kHeardBytes = 2048;

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  void send_one();
  [[nodiscard]] std::size_t make_noise();
  [[nodiscard]] std::size_t make_command();
  [[nodiscard]] std::size_t make_answer();
  [[nodiscard]] std::size_t make_advertisement();
  [[nodiscard]] std::size_t make_replay();
  void fill_random(std::size_t from, std::size_t to);
  [[nodiscard]] const MacAddress& victim();

  Options options_;
  Prng prng_;
  std::vector<MacAddress> victims_;
  std::vector<DeviceAddress> addresses_;
  std::array<std::byte, kHeardBytes> frame_{};
  std::array<std::byte, kHeardBytes> heard_{};
  std::size_t heard_bytes_ = 0;
  bool active_ = false;
  std::uint64_t sent_ = 0;
};

}  // namespace aoe::sim
