#include "client/session.h"

#include "client/device_settings.h"
#include "client/interfaces.h"
#include "client/session_state.h"
#include "net/port_kinds.h"
#include "os/clock.h"
#include "os/link_monitor.h"
#include "os/random_seed.h"
#include "protocol/ata_command.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

namespace aoe::client {
namespace {

using initiator::CommandRequest;
using initiator::SubmitError;
using initiator::TargetRecord;
using protocol::AoeError;
using protocol::kHeaderBytes;

// An answer that is this young says where the target is without asking again.
constexpr Duration kRecordFresh = Duration::seconds(10);
// Queries and answers may be lost: asked again after these times within one discovery.
constexpr std::array kAskAgain = {Duration::milliseconds(150), Duration::milliseconds(450),
                                  Duration::milliseconds(1000), Duration::milliseconds(2500)};
constexpr std::size_t kReplyBytesMax = 65536;

std::string peer_name(const Peer& peer) {
  std::string name =
      peer.address.shelf == protocol::kAllShelves || peer.address.slot == protocol::kAllSlots
          ? "any target"
          : to_string(peer.address);
  if (peer.mac) {
    name += " at " + to_string(*peer.mac);
  }
  return name;
}

bool has_wildcard(DeviceAddress address) {
  return address.shelf == protocol::kAllShelves || address.slot == protocol::kAllSlots;
}

Error aoe_error(const Peer& peer, std::uint8_t code) {
  Errc errc = Errc::io;
  switch (static_cast<AoeError>(code)) {
    case AoeError::unknown_command:
    case AoeError::unsupported_version:
      errc = Errc::unsupported;
      break;
    case AoeError::bad_argument:
      errc = Errc::invalid_argument;
      break;
    case AoeError::device_unavailable:
      errc = Errc::unavailable;
      break;
    case AoeError::config_string_present:
      errc = Errc::already_exists;
      break;
    case AoeError::target_reserved:
      errc = Errc::not_permitted;
      break;
    case AoeError::none:
      break;
  }
  return {errc, 0,
          fmt::format("{}: target answers error {}: {}", peer_name(peer), code,
                      protocol::aoe_error_text(code))};
}

Error malformed(const Peer& peer, const char* what) {
  return {Errc::corrupt, 0, fmt::format("{}: malformed {} reply", peer_name(peer), what)};
}

// The whole frame again, for the parsers of protocol/: they count from its first byte.
std::vector<std::byte> as_frame(const ExchangeReply& reply) {
  std::vector<std::byte> frame(kHeaderBytes + reply.bytes.size());
  protocol::build_header(frame, reply.header);
  copy_bytes(ByteSpan(frame).subspan(kHeaderBytes), reply.bytes);
  return frame;
}

// The argument that a builder of protocol/ wrote into a frame.
ConstByteSpan argument_of(const std::vector<std::byte>& frame, std::size_t bytes) {
  return ConstByteSpan(frame).first(bytes).subspan(kHeaderBytes);
}

}  // namespace

Session::Session(std::shared_ptr<SessionState> state) : state_(std::move(state)) {}

Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::open(const SessionOptions& options) {
  AOE_TRY_ASSIGN(const auto names, resolve_interfaces(options.interfaces));
  // Before the ports: a change between opening and watching must not be missed.
  AOE_TRY_ASSIGN(auto monitor, os::LinkMonitor::open());
  CoreRunner::Ports ports;
  for (const std::string& name : names) {
    AOE_TRY_ASSIGN(
        auto port,
        net::open_port(options.port, {.interface = name, .filter = net::FrameFilter::responses}));
    ports.push_back(std::move(port));
  }
  return start(std::move(ports), std::move(monitor), options);
}

Result<std::unique_ptr<Session>> Session::open_over(
    std::vector<std::unique_ptr<net::PacketPort>> ports, const SessionOptions& options) {
  return start(std::move(ports), nullptr, options);
}

Result<std::unique_ptr<Session>> Session::start(std::vector<std::unique_ptr<net::PacketPort>> ports,
                                                std::unique_ptr<os::LinkMonitor> monitor,
                                                const SessionOptions& options) {
  CoreRunner::Options runner_options;
  runner_options.core.seed = options.seed == 0 ? os::random_seed() : options.seed;
  runner_options.core.first_tag = options.first_tag;
  runner_options.core.limits.ports_max = kPortsMax;
  runner_options.core.limits.requests_max = std::max(options.requests_max, 1U);
  AOE_TRY_ASSIGN(auto runner,
                 CoreRunner::create(std::move(ports), std::move(monitor), runner_options));
  auto state =
      std::make_shared<SessionState>(std::move(runner), runner_options.core.limits.requests_max);
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

// --- discovery ---

std::vector<DiscoveredTarget> Session::discover(const DiscoverOptions& options) {
  initiator::InitiatorCore& core = state_->core();
  const DeviceAddress address =
      options.address.value_or(DeviceAddress{protocol::kAllShelves, protocol::kAllSlots});
  const Instant start = os::monotonic_now();
  Instant end = start + options.wait;
  const auto is_answer = [&](const TargetRecord& record) {
    return record.seen >= start && (!options.address || record.address == *options.address) &&
           (options.macs.empty() ||
            std::find(options.macs.begin(), options.macs.end(), record.mac) != options.macs.end());
  };
  std::size_t asked = 0;
  core.discover(address);
  for (Instant now = start; now < end; now = os::monotonic_now()) {
    const auto records = core.targets();
    if (options.address && std::any_of(records.begin(), records.end(), is_answer)) {
      end = std::min(end, now + options.linger);
      if (now >= end) {
        break;
      }
    }
    const Instant again = asked < kAskAgain.size() ? start + kAskAgain.at(asked) : end;
    if (now >= again) {
      core.discover(address);
      ++asked;
    }
    state_->turn(std::min(again, end));
  }
  std::vector<DiscoveredTarget> found;
  for (const TargetRecord& record : core.targets()) {
    if (is_answer(record)) {
      found.push_back({.address = record.address,
                       .interface = state_->port_name(record.port),
                       .mac = record.mac,
                       .buffer_count = record.limits.buffer_count,
                       .firmware_version = record.firmware_version,
                       .sector_count = record.limits.sector_count,
                       .config_string = std::string(as_text(record.config_string()))});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.address, a.interface, a.mac) < std::tie(b.address, b.interface, b.mac);
  });
  return found;
}

// --- exchanges ---

Result<Session::Route> Session::find_route(const Peer& peer, const ExchangeOptions& options,
                                           Instant deadline) {
  std::optional<PortId> port;
  if (peer.interface) {
    port = state_->find_port(*peer.interface);
    if (!port) {
      return fail_with(Errc::invalid_argument, 0,
                       *peer.interface + ": not an interface of this session");
    }
  }
  if (options.send_to == SendTo::broadcast || (!peer.mac && has_wildcard(peer.address))) {
    return Route{MacAddress::broadcast(), port};
  }
  if (peer.mac) {
    return Route{*peer.mac, port};
  }
  const auto find = [&](Instant since) -> std::optional<Route> {
    std::optional<Route> route;
    Instant newest = since;
    for (const TargetRecord& record : state_->core().targets()) {
      if (record.address == peer.address && record.seen >= newest &&
          (!port || record.port == *port)) {
        newest = record.seen;
        route = Route{record.mac, record.port};
      }
    }
    return route;
  };
  const Instant now = os::monotonic_now();
  if (const auto route = find(now - kRecordFresh)) {
    return *route;
  }
  static_cast<void>(discover({.address = peer.address, .wait = deadline - now}));
  if (const auto route = find(now)) {
    return *route;
  }
  return fail_with(
      Errc::not_found, 0,
      fmt::format("{}: no target answers (check the address and the interfaces)", peer_name(peer)));
}

Result<ExchangeReply> Session::exchange(const Peer& peer, std::uint8_t command,
                                        ConstByteSpan argument, const ExchangeOptions& options) {
  const Instant deadline = os::monotonic_now() + options.timeout;
  AOE_TRY_ASSIGN(const Route route, find_route(peer, options, deadline));
  std::vector<std::byte> reply(kReplyBytesMax);
  CommandRequest request;
  request.address = peer.address;
  request.destination = route.mac;
  request.port = route.port;
  request.command = command;
  request.argument = argument;
  request.reply = reply;
  request.timeout = deadline - os::monotonic_now();
  request.retransmissions_max = options.retries;
  const auto completion = state_->run_command(request);
  if (!completion) {
    return fail_with(
        completion.error() == SubmitError::busy ? Errc::busy : Errc::invalid_argument, 0,
        fmt::format("{}: command {} with {} bytes: {}", peer_name(peer), command, argument.size(),
                    initiator::submit_error_name(completion.error())));
  }
  if (!completion->answered) {
    return fail_with(
        Errc::timed_out, 0,
        fmt::format("{}: no answer to command {} in {:.1f} s, {} retransmissions", peer_name(peer),
                    command, static_cast<double>(options.timeout.ns) / 1e9,
                    completion->retransmissions));
  }
  reply.resize(std::min(completion->reply_bytes, reply.size()));
  return ExchangeReply{.header = completion->header,
                       .bytes = std::move(reply),
                       .rtt = completion->rtt,
                       .retransmissions = completion->retransmissions,
                       .interface = state_->port_name(completion->port),
                       .mac = completion->header.source};
}

Result<ExchangeReply> Session::accepted_reply(const Peer& peer, std::uint8_t command,
                                              ConstByteSpan argument,
                                              const ExchangeOptions& options) {
  AOE_TRY_ASSIGN(ExchangeReply reply, exchange(peer, command, argument, options));
  if (reply.header.is_error) {
    return aoe::fail(aoe_error(peer, reply.header.error));
  }
  return reply;
}

Result<ConfigReply> Session::config(const Peer& peer, protocol::ConfigCommand command,
                                    ConstByteSpan string, const ExchangeOptions& options) {
  AOE_TRY_ASSIGN(ConfigReply reply, ask_config(peer, command, string, options));
  if (reply.exchange.header.is_error) {
    return aoe::fail(aoe_error(peer, reply.exchange.header.error));
  }
  return reply;
}

Result<ConfigReply> Session::ask_config(const Peer& peer, protocol::ConfigCommand command,
                                        ConstByteSpan string, const ExchangeOptions& options) {
  if (string.size() > protocol::kConfigStringBytesMax) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("config string of {} bytes: at most {} fit", string.size(),
                                 protocol::kConfigStringBytesMax));
  }
  std::vector<std::byte> frame(protocol::kConfigHeaderBytes + string.size());
  const std::size_t bytes = protocol::build_config(
      frame, {.command = static_cast<std::uint8_t>(command), .string = string});
  AOE_TRY_ASSIGN(ExchangeReply reply,
                 exchange(peer, static_cast<std::uint8_t>(protocol::Command::config),
                          argument_of(frame, bytes), options));
  const std::vector<std::byte> answer = as_frame(reply);
  const auto parsed = protocol::parse_config(answer);
  if (!parsed && reply.header.is_error) {
    // What refuses a command need not say more than that.
    return ConfigReply{.string = {}, .exchange = std::move(reply)};
  }
  if (!parsed) {
    return aoe::fail(malformed(peer, "config"));
  }
  return ConfigReply{.buffer_count = parsed->buffer_count,
                     .firmware_version = parsed->firmware_version,
                     .sector_count = parsed->sector_count,
                     .protocol_version = parsed->protocol_version,
                     .string = std::string(as_text(parsed->string)),
                     .exchange = std::move(reply)};
}

Result<MaskResult> Session::mask(const Peer& peer, protocol::MaskCommand command,
                                 std::span<const protocol::MaskDirective> directives,
                                 const ExchangeOptions& options) {
  if (directives.size() > protocol::kMacListCountMax) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{} mask directives: at most {} fit", directives.size(),
                                 protocol::kMacListCountMax));
  }
  std::vector<std::byte> frame(protocol::kMaskHeaderBytes +
                               directives.size() * protocol::kMaskDirectiveBytes);
  const std::size_t bytes = protocol::build_mask_request(frame, command, directives);
  AOE_TRY_ASSIGN(const ExchangeReply reply,
                 accepted_reply(peer, static_cast<std::uint8_t>(protocol::Command::mac_mask),
                                argument_of(frame, bytes), options));
  const std::vector<std::byte> answer = as_frame(reply);
  const auto parsed = protocol::parse_mask(answer);
  if (!parsed) {
    return aoe::fail(malformed(peer, "mask"));
  }
  MaskResult result{.error = static_cast<protocol::MaskError>(parsed->error), .list = {}};
  if (result.error != protocol::MaskError::none) {
    result.failed_index = parsed->directive_count;
    return result;
  }
  for (std::size_t i = 0; i < parsed->directive_count; ++i) {
    result.list.push_back(parsed->directive(i).mac);
  }
  return result;
}

Result<std::vector<MacAddress>> Session::mask_read(const Peer& peer,
                                                   const ExchangeOptions& options) {
  AOE_TRY_ASSIGN(MaskResult result, mask(peer, protocol::MaskCommand::read, {}, options));
  if (result.error != protocol::MaskError::none) {
    return aoe::fail(malformed(peer, "mask"));
  }
  return std::move(result.list);
}

Result<MaskResult> Session::mask_edit(const Peer& peer,
                                      std::span<const protocol::MaskDirective> directives,
                                      const ExchangeOptions& options) {
  return mask(peer, protocol::MaskCommand::edit, directives, options);
}

Result<std::vector<MacAddress>> Session::reserve(const Peer& peer, protocol::ReserveCommand command,
                                                 std::span<const MacAddress> list,
                                                 const ExchangeOptions& options) {
  if (list.size() > protocol::kMacListCountMax) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{} addresses to reserve for: at most {} fit", list.size(),
                                 protocol::kMacListCountMax));
  }
  std::vector<std::byte> frame(protocol::kReserveHeaderBytes + list.size() * 6);
  const std::size_t bytes =
      protocol::build_reserve(frame, static_cast<std::uint8_t>(command), list);
  AOE_TRY_ASSIGN(const ExchangeReply reply,
                 accepted_reply(peer, static_cast<std::uint8_t>(protocol::Command::reserve),
                                argument_of(frame, bytes), options));
  const std::vector<std::byte> answer = as_frame(reply);
  const auto parsed = protocol::parse_reserve(answer);
  if (!parsed) {
    return aoe::fail(malformed(peer, "reserve"));
  }
  std::vector<MacAddress> holders;
  for (std::size_t i = 0; i < parsed->mac_count; ++i) {
    holders.push_back(parsed->address(i));
  }
  return holders;
}

Result<AtaReply> Session::ata(const Peer& peer, const AtaRequest& request,
                              const ExchangeOptions& options) {
  std::vector<std::byte> frame(protocol::kAtaHeaderBytes + request.data_out.size());
  protocol::build_ata(frame, request.registers);
  copy_bytes(ByteSpan(frame).subspan(protocol::kAtaHeaderBytes), request.data_out);
  AOE_TRY_ASSIGN(ExchangeReply reply,
                 accepted_reply(peer, static_cast<std::uint8_t>(protocol::Command::ata),
                                argument_of(frame, frame.size()), options));
  const std::vector<std::byte> answer = as_frame(reply);
  const auto parsed = protocol::parse_ata(answer);
  if (!parsed) {
    return aoe::fail(malformed(peer, "ata"));
  }
  AtaReply result{.registers = parsed->argument, .data = {}, .exchange = std::move(reply)};
  if (protocol::AtaOutcome{parsed->argument.command_status, parsed->argument.feature_error}
          .is_failure()) {
    return result;
  }
  if (parsed->data.size() < request.data_in_bytes) {
    return fail_with(Errc::corrupt, 0,
                     fmt::format("{}: reply carries {} bytes of data, {} were asked for",
                                 peer_name(peer), parsed->data.size(), request.data_in_bytes));
  }
  const ConstByteSpan data = parsed->data.first(request.data_in_bytes);
  result.data.assign(data.begin(), data.end());
  return result;
}

Result<IdentifyReply> Session::identify(const Peer& peer, const ExchangeOptions& options) {
  AtaRequest request{.registers = {}, .data_out = {}, .data_in_bytes = protocol::kIdentifyBytes};
  request.registers.sector_count = 1;
  request.registers.command_status = static_cast<std::uint8_t>(protocol::AtaOp::identify);
  AOE_TRY_ASSIGN(AtaReply reply, ata(peer, request, options));
  if (reply.data.empty()) {
    return fail_with(Errc::io, 0,
                     fmt::format("{}: identify: ata status {:02x}h, error {:02x}h", peer_name(peer),
                                 reply.registers.command_status, reply.registers.feature_error));
  }
  IdentifyReply result{.view = protocol::parse_identify(reply.data),
                       .raw = {},
                       .exchange = std::move(reply.exchange)};
  copy_bytes(result.raw, reply.data);
  return result;
}

// --- devices ---

Result<std::unique_ptr<Device>> Session::start_device(DeviceAddress address,
                                                      const DeviceOptions& options) {
  AOE_TRY_ASSIGN(const initiator::DeviceSettings settings, device_settings(address, options));
  const auto id = state_->core().open_device(os::monotonic_now(), address, settings);
  if (!id) {
    const bool full = id.error() == SubmitError::busy;
    return fail_with(full ? Errc::no_space : Errc::already_exists, 0,
                     fmt::format("{}: {}", to_string(address),
                                 full ? "too many devices are open"
                                      : "is open already, or no address of a device"));
  }
  return std::make_unique<Device>(state_, *id);
}

Result<std::unique_ptr<Device>> Session::open_device(DeviceAddress address,
                                                     const DeviceOptions& options) {
  const Instant end = os::monotonic_now() + options.open_timeout;
  AOE_TRY_ASSIGN(std::unique_ptr<Device> device, start_device(address, options));
  while (!device->is_up()) {
    if (os::monotonic_now() >= end) {
      return aoe::fail(why_not_up(*device, options.open_timeout));
    }
    state_->turn(end);
  }
  AOE_TRY(refuse_rivals(*device, std::min(end, os::monotonic_now() + kRivalsAnswerWithin)));
  return device;
}

Result<void> Session::refuse_rivals(const Device& opened, Instant listen_until) {
  // Whoever answered first is the disk for the core, and the others are kept away. But what was
  // asked for is a disk under an address, and which of two is meant only the user knows.
  while (os::monotonic_now() < listen_until) {
    state_->turn(listen_until);
  }
  const initiator::PathSet& paths = opened.core_device().paths();
  std::string rivals;
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    if (paths.at(i).quarantine == initiator::QuarantineReason::identity) {
      rivals += fmt::format("{}{}", rivals.empty() ? "" : ", ", to_string(paths.at(i).mac));
    }
  }
  if (rivals.empty()) {
    return {};
  }
  return fail_with(
      Errc::already_exists, 0,
      fmt::format("{}: two different disks have this address: the one with serial number {}, and "
                  "another at {} (say which one: serial= or mac= in the URI)",
                  to_string(opened.address()), opened.core_device().identity()->serial, rivals));
}

Error Session::why_not_up(const Device& opened, Duration waited) const {
  const initiator::Device& device = opened.core_device();
  const std::string name = to_string(device.address());
  const double seconds = static_cast<double>(waited.ns) / 1e9;
  if (device.paths().size() == 0) {
    return {Errc::not_found, 0,
            fmt::format("{}: no target answers in {:.1f} s (check the address and the interfaces)",
                        name, seconds)};
  }
  if (device.paths().at(0).payload.sectors() == 0) {
    return {Errc::invalid_argument, 0,
            fmt::format("{}: the MTU of {} holds no sector (it must be at least 534)", name,
                        state_->port_name(device.paths().at(0).port))};
  }
  return {Errc::timed_out, 0,
          fmt::format("{}: found at {}, but it does not identify itself in {:.1f} s", name,
                      to_string(device.paths().at(0).mac), seconds)};
}

// --- in a loop of somebody else ---

Result<void> Session::make_waitable() {
  return state_->runner().make_waitable();
}

int Session::wait_fd() const {
  return state_->runner().wait_fd();
}

void Session::process() {
  state_->turn(Instant{1});
}

void Session::send() {
  state_->runner().transmit();
}

void Session::wake_at(Instant when) {
  state_->runner().wake_at(when);
}

void Session::wake_now() {
  wake_at(Instant{1});
}

// --- statistics ---

SessionStats Session::stats() const {
  SessionStats stats;
  for (const auto& port : state_->runner().ports()) {
    const net::PortStats counters = port->stats();
    stats.interfaces.push_back({.interface = port->name(),
                                .rx_frames = counters.rx_frames,
                                .rx_bytes = counters.rx_bytes,
                                .rx_dropped = counters.rx_dropped,
                                .tx_frames = counters.tx_frames,
                                .tx_bytes = counters.tx_bytes,
                                .tx_dropped = counters.tx_dropped});
  }
  const initiator::CoreStats& core = state_->core().stats();
  stats.frames_sent = core.frames_sent;
  stats.retransmissions = core.retransmissions;
  stats.answers = core.answers;
  stats.answers_ignored = core.malformed + core.not_a_response + core.unknown_tag +
                          core.wrong_address + core.wrong_command + core.wrong_path +
                          core.short_data + core.bad_source;
  return stats;
}

std::vector<std::string> Session::interfaces() const {
  std::vector<std::string> names;
  for (const auto& port : state_->runner().ports()) {
    names.push_back(port->name());
  }
  return names;
}

}  // namespace aoe::client
