// A core, its ports, a virtual clock and a scripted plain target: what the tests of the core share.
#pragma once

#include "base/buffer_pool.h"
#include "initiator/initiator_core.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_session.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_registers.h"

#include <functional>
#include <map>
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

  [[nodiscard]] bool is_hello() const { return header.command == protocol::kHelloCommand; }

  [[nodiscard]] bool is_identify() const {
    return header.command == 0 && ata().command_status == 0xEC;
  }

  // A question whether a size passes: a read that is as long as its answer.
  [[nodiscard]] bool is_size_question() const {
    return header.command == 0 && frame.size() > protocol::kFrameBytesMin &&
           protocol::find_opcode(ata().command_status).kind == protocol::AtaKind::read;
  }

  // A frame for a request, none of the questions that the core has of its own.
  [[nodiscard]] bool is_data() const {
    return header.command == 0 && !is_identify() && !is_size_question();
  }

  [[nodiscard]] std::optional<protocol::Seal> seal() const {
    const auto found = protocol::parse_seal(frame);
    return found ? std::optional(*found) : std::nullopt;
  }

  [[nodiscard]] Bytes data() const {
    const auto parsed = protocol::parse_ata(frame);
    return {parsed->data.begin(), parsed->data.end()};
  }
};

// What a FakeTarget does with hello.
enum class FakePeer : std::uint8_t {
  plain,     // error 1, as vblade
  silent,    // nothing, as ggaoed
  sessions,  // our own extension
};

// A disk in memory that answers like a plain target, or like one of ours.
struct FakeTarget {
  FakePeer peer = FakePeer::plain;
  std::uint64_t instance = 0x1111;
  std::uint64_t cache_epoch = 1;
  std::uint16_t capabilities = protocol::kCapabilitySequences | protocol::kCapabilityCrc;
  std::uint32_t sequence_window = 64;
  std::uint32_t frame_life_ms = 4000;
  std::uint32_t session = 0;  // the one that was granted
  std::uint32_t sessions_made = 0;
  std::uint32_t low = 0;
  std::map<std::uint32_t, std::vector<std::byte>> done;  // answers by sequence
  std::uint64_t executions = 0;                          // of frames that change data
  bool refuses_big = false;                              // aborts more than two sectors

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

  // As after a restart: sessions are forgotten.
  void restart() {
    ++instance;
    forget_session();
  }

  void forget_session() {
    session = 0;
    done.clear();
  }

 private:
  [[nodiscard]] std::optional<Bytes> answer_hello(const Sent& request);
  [[nodiscard]] std::optional<Bytes> answer_sealed(const Sent& request, const protocol::Seal& seal);
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

  // Reads until the windows of the device are wide, so that they do not hold back what follows.
  void widen(FakeTarget& target, DeviceId id);

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
