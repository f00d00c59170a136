// A core, its ports, a virtual clock and a scripted plain target: what the tests of the core share.
#pragma once

#include "base/buffer_pool.h"
#include "initiator/initiator_core.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_registers.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::initiator {

inline constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
inline constexpr MacAddress kHostMac{{2, 0, 0, 0, 0, 0x10}};
inline constexpr MacAddress kHostMac2{{2, 0, 0, 0, 0, 0x11}};
inline constexpr MacAddress kTargetMac{{2, 0, 0, 0, 0, 0x20}};
inline constexpr MacAddress kTargetMac2{{2, 0, 0, 0, 0, 0x21}};

using Bytes = std::vector<std::byte>;

// What left the core, kept as bytes.
struct Sent {
  PortId port{};
  Bytes frame;
  protocol::FrameHeader header{};

  [[nodiscard]] protocol::AtaArgument ata() const { return protocol::parse_ata(frame)->argument; }

  // Neither a config query nor an IDENTIFY.
  [[nodiscard]] bool is_data() const { return header.command == 0 && ata().command_status != 0xEC; }

  [[nodiscard]] Bytes data() const {
    const auto parsed = protocol::parse_ata(frame);
    return {parsed->data.begin(), parsed->data.end()};
  }
};

// A disk in memory that answers like a plain target.
struct FakeTarget {
  DeviceAddress address = kE71;
  MacAddress mac = kTargetMac;
  std::uint16_t buffer_count = 64;
  std::uint8_t sector_count = 2;
  std::string config_string;
  protocol::IdentifyModel disk{};
  Bytes content;

  explicit FakeTarget(std::uint64_t sectors = 4096) : content(sectors * kSectorBytes) {
    disk.serial = "S1";
    disk.model = "fake";
    disk.sector_count = sectors;
    disk.has_trim = true;
  }

  // The reply to a request, or nothing.
  [[nodiscard]] std::optional<Bytes> answer(const Sent& request);

 private:
  void run_ata(const Sent& request, Bytes& reply);
};

class CoreWorld {
 public:
  explicit CoreWorld(const CoreOptions& options = {});
  ~CoreWorld();

  void port_up(PortId port = PortId{0}, std::size_t mtu_bytes = 1500, MacAddress mac = kHostMac);
  void port_down(PortId port = PortId{0});

  // Everything the core wants to send now; nothing is answered.
  std::vector<Sent> take_sent();
  void receive(const Bytes& frame, PortId port = PortId{0});

  // Lets the target answer what is sent, at once, until nothing is sent any more. Frames for which
  // `lose` says true vanish.
  void run(FakeTarget& target, const std::function<bool(const Sent&)>& lose = {});
  // Moves the clock to `deadline`, stopping at every timeout of the core on the way. `each` is
  // called with what was sent at each stop.
  void advance_to(Instant deadline, const std::function<void(const Sent&)>& each = {});

  void advance(Duration by, const std::function<void(const Sent&)>& each = {}) {
    advance_to(now + by, each);
  }

  // Opens the device and brings it up.
  DeviceId open(FakeTarget& target, const DeviceSettings& settings = {});

  std::vector<IoCompletion> completions();
  std::vector<Event> events();
  [[nodiscard]] bool saw(EventKind kind);

  // Submits, and expects it to be accepted.
  void submit(DeviceId id, const IoRequest& request);

  Instant now{1'000'000'000};
  BufferPool pool;
  std::unique_ptr<InitiatorCore> core;
};

// Any answer, for tests that forge one.
[[nodiscard]] Bytes reply_to(const Sent& request, const FakeTarget& target, std::size_t bytes = 60);

[[nodiscard]] Bytes pattern(std::size_t bytes, unsigned seed);

}  // namespace aoe::initiator
