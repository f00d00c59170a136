// The way of tools and front ends to AoE: real interfaces, one initiator core, one thread.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/port_kind.h"
#include "base/result.h"
#include "base/time.h"
#include "client/device.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/ata_identify.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aoe::net {
class PacketPort;
}

namespace aoe::os {
class LinkMonitor;
}

namespace aoe::client {

struct SessionOptions {
  // Names; at least one, or the single name "auto" for real Ethernet with carrier.
  std::vector<std::string> interfaces;
  PortKind port = PortKind::automatic;
  std::uint64_t seed = 0;            // of tags and jitter; 0 = from the OS
  std::optional<Tag> first_tag{};    // those behind it follow; absent: by chance
  std::uint32_t requests_max = 256;  // outstanding over all devices
};

struct DiscoverOptions {
  std::optional<DeviceAddress> address;  // absent: every target
  std::vector<MacAddress> macs{};        // only targets with one of these; empty: any
  // How long to listen. With an address it ends `linger` after the first answer.
  Duration wait = Duration::seconds(1);
  Duration linger{};
};

// Other targets with the same address answer within this time.
inline constexpr Duration kRivalsAnswerWithin = Duration::milliseconds(100);

// One answer to a discovery: a target may appear once for every way it can be reached.
struct DiscoveredTarget {
  DeviceAddress address;
  std::string interface;
  MacAddress mac;
  std::uint16_t buffer_count = 0;
  std::uint16_t firmware_version = 0;
  std::uint8_t sector_count = 0;  // as sent: 0 means 2
  std::string config_string;      // any octets
};

// Whom to talk to. Without a MAC the target is looked for first (unless the options say broadcast);
// without an interface, all of the session's are used.
struct Peer {
  DeviceAddress address;
  std::optional<MacAddress> mac;
  std::optional<std::string> interface;
};

enum class SendTo : std::uint8_t { unicast, broadcast };

struct ExchangeOptions {
  Duration timeout = Duration::seconds(5);
  std::uint32_t retries = 0xFFFFFFFF;  // retransmissions inside the timeout; 0 = send once
  SendTo send_to = SendTo::unicast;
};

struct ExchangeReply {
  protocol::FrameHeader header;  // is_error and error as the target sent them
  std::vector<std::byte> bytes;  // argument and data, from frame byte 24 on; padding included
  Duration rtt{};                // from the last transmission
  std::uint32_t retransmissions = 0;
  std::string interface;
  MacAddress mac;
};

struct ConfigReply {
  std::uint16_t buffer_count = 0;
  std::uint16_t firmware_version = 0;
  std::uint8_t sector_count = 0;
  std::uint8_t protocol_version = 0;
  std::string string;
  ExchangeReply exchange;
};

struct MaskResult {
  protocol::MaskError error = protocol::MaskError::none;
  std::uint8_t failed_index = 0;  // with an error: the directive that failed
  std::vector<MacAddress> list;   // without: the list as it is now
};

// Registers and data of one ATA command (the caller sets kAtaFlagWrite when there is data_out).
struct AtaRequest {
  protocol::AtaArgument registers;
  ConstByteSpan data_out;
  std::size_t data_in_bytes = 0;  // a successful reply with less is corrupt
};

struct AtaReply {
  protocol::AtaArgument registers;  // status, error and LBA as returned: check the outcome
  std::vector<std::byte> data;      // data_in_bytes of them, or none after an ATA error
  ExchangeReply exchange;
};

struct IdentifyReply {
  protocol::IdentifyView view;
  std::array<std::byte, protocol::kIdentifyBytes> raw{};
  ExchangeReply exchange;
};

struct InterfaceStats {
  std::string interface;
  std::uint64_t rx_frames = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t tx_frames = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_dropped = 0;
};

struct SessionStats {
  std::vector<InterfaceStats> interfaces;
  std::uint64_t frames_sent = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t answers = 0;          // that were matched
  std::uint64_t answers_ignored = 0;  // late, duplicate, foreign or malformed
};

// Single thread. Every call that waits drives the network meanwhile, for open devices too.
// Errors of all exchanges: timed_out (no answer), not_found (no target with that address answered),
// invalid_argument (argument longer than a frame, unknown interface).
class Session {
 public:
  // Errors: invalid_argument (no interface), not_found, not_permitted (needs CAP_NET_RAW), io, and
  // those of the kind of port (net/port_kinds.h).
  [[nodiscard]] static Result<std::unique_ptr<Session>> open(const SessionOptions& options);

  // Over ports that exist already; options.interfaces is not looked at. For tests and for ports of
  // other kinds.
  [[nodiscard]] static Result<std::unique_ptr<Session>> open_over(
      std::vector<std::unique_ptr<net::PacketPort>> ports, const SessionOptions& options);

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Sorted by address, interface and MAC. An empty list is no error.
  [[nodiscard]] std::vector<DiscoveredTarget> discover(const DiscoverOptions& options);

  // One AoE command. An AoE error reply is a value here (reply.header.is_error); the typed calls
  // below turn it into an Error.
  [[nodiscard]] Result<ExchangeReply> exchange(const Peer& peer, std::uint8_t command,
                                               ConstByteSpan argument,
                                               const ExchangeOptions& options);

  // test and prefix_test: a target that does not match stays silent, which reads as timed_out.
  // set: already_exists when there is another string (AoE error 4).
  [[nodiscard]] Result<ConfigReply> config(const Peer& peer, protocol::ConfigCommand command,
                                           ConstByteSpan string, const ExchangeOptions& options);

  // The same where an AoE error reply is a value: look at exchange.header.
  [[nodiscard]] Result<ConfigReply> ask_config(const Peer& peer, protocol::ConfigCommand command,
                                               ConstByteSpan string,
                                               const ExchangeOptions& options);

  [[nodiscard]] Result<std::vector<MacAddress>> mask_read(const Peer& peer,
                                                          const ExchangeOptions& options);
  [[nodiscard]] Result<MaskResult> mask_edit(const Peer& peer,
                                             std::span<const protocol::MaskDirective> directives,
                                             const ExchangeOptions& options);

  // The list after the command. `list` is empty for read; set with an empty list releases. Errors:
  // not_permitted when somebody else holds the reservation (AoE error 6).
  [[nodiscard]] Result<std::vector<MacAddress>> reserve(const Peer& peer,
                                                        protocol::ReserveCommand command,
                                                        std::span<const MacAddress> list,
                                                        const ExchangeOptions& options);

  [[nodiscard]] Result<AtaReply> ata(const Peer& peer, const AtaRequest& request,
                                     const ExchangeOptions& options);
  [[nodiscard]] Result<IdentifyReply> identify(const Peer& peer, const ExchangeOptions& options);

  // Finds the target, identifies it and keeps it, after a moment in which other disks with the same
  // address may show. Errors: not_found, timed_out, already_exists (open in this session, or there
  // are two disks).
  [[nodiscard]] Result<std::unique_ptr<Device>> open_device(DeviceAddress address,
                                                            const DeviceOptions& options);

  // The halves of open_device(), for those who wait in another way: the device looks for its target
  // from now on, and is usable once is_up() was true. Errors: already_exists, no_space,
  // invalid_argument (payload).
  [[nodiscard]] Result<std::unique_ptr<Device>> start_device(DeviceAddress address,
                                                             const DeviceOptions& options);
  // Why a device that was started `waited` ago is not up.
  [[nodiscard]] Error why_not_up(const Device& opened, Duration waited) const;

  // --- in a loop of somebody else ---

  // Creates, once, what makes the session waitable. Errors: io (no descriptor left).
  [[nodiscard]] Result<void> make_waitable();
  // Readable when process() has something to do: frames came, a link changed, a deadline is due, or
  // somebody asked to be woken. May be readable early, but never late. Only after make_waitable().
  // This is the one member that other threads may poll meanwhile.
  [[nodiscard]] int wait_fd() const;
  // One turn without waiting, for all devices: sends, takes a batch of frames from each port, looks
  // at deadlines, sends again. Take completions with Device::take().
  void process();
  // Sends what was submitted. process() does so too.
  void send();
  // Makes wait_fd() readable from `when` until process(), unless that happens before for another
  // reason; then ask again. `now`: for a batch of submissions that process() shall send.
  void wake_at(Instant when);
  void wake_now();

  [[nodiscard]] SessionStats stats() const;
  // In the order of SessionOptions (or as "auto" found them).
  [[nodiscard]] std::vector<std::string> interfaces() const;

 private:
  explicit Session(std::shared_ptr<SessionState> state);

  // Runs until then. already_exists: another disk answers to the device's address.
  [[nodiscard]] Result<void> refuse_rivals(const Device& opened, Instant listen_until);

  // Where to send to: resolved from a Peer.
  struct Route {
    MacAddress mac;
    std::optional<PortId> port;
  };

  [[nodiscard]] Result<Route> find_route(const Peer& peer, const ExchangeOptions& options,
                                         Instant deadline);
  [[nodiscard]] static Result<std::unique_ptr<Session>> start(
      std::vector<std::unique_ptr<net::PacketPort>> ports, std::unique_ptr<os::LinkMonitor> monitor,
      const SessionOptions& options);
  [[nodiscard]] Result<MaskResult> mask(const Peer& peer, protocol::MaskCommand command,
                                        std::span<const protocol::MaskDirective> directives,
                                        const ExchangeOptions& options);
  // An AoE error reply becomes an Error.
  [[nodiscard]] Result<ExchangeReply> accepted_reply(const Peer& peer, std::uint8_t command,
                                                     ConstByteSpan argument,
                                                     const ExchangeOptions& options);

  std::shared_ptr<SessionState> state_;
};

}  // namespace aoe::client
