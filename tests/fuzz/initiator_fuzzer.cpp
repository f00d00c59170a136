// Feeds an initiator core a sequence of anything: frames forged after what it sent, raw frames,
// time, link changes, requests, commands, opened and closed devices. Nothing may crash, every
// accepted request ends exactly once, and every buffer returns.
#include "base/buffer_pool.h"
#include "base/check.h"
#include "fuzz/fuzz_entry.h"
#include "initiator/initiator_core.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_session.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::initiator {
namespace {

constexpr std::uint64_t kDiskSectors = 64;

// Takes numbers off the front of the input; zeros when it is used up.
class Input {
 public:
  explicit Input(ConstByteSpan bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  std::uint8_t byte() {
    if (rest_.empty()) {
      return 0;
    }
    const auto value = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }

  std::uint32_t below(std::uint32_t bound) { return byte() % bound; }

  ConstByteSpan take(std::size_t count) {
    const ConstByteSpan taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  ConstByteSpan rest_;
};

struct SentFrame {
  PortId port{};
  std::vector<std::byte> bytes;
};

CoreOptions tiny_options(Input& in) {
  CoreOptions options;
  options.seed = in.byte();
  options.limits = {.ports_max = 2,
                    .devices_max = 2,
                    .paths_max = 1 + in.below(3),
                    .requests_max = 1 + in.below(8),
                    .frames_max = 1 + in.below(16),
                    .commands_max = 1 + in.below(3),
                    .targets_max = 1 + in.below(3),
                    .events_max = 1 + in.below(4),
                    .fences_max = 1 + in.below(3),
                    .queries_max = 1 + in.below(3)};
  options.extension = in.below(8) == 0 ? CoreOptions::Extension::off : CoreOptions::Extension::on;
  options.wildcard_discovery =
      in.below(2) == 0 ? CoreOptions::Wildcard::off : CoreOptions::Wildcard::on;
  return options;
}

class World {
 public:
  explicit World(Input& in)
      : in_(in),
        received_({.count = 1, .frame_bytes = 2048}),
        pool_({.count = 8, .frame_bytes = 1514 + in.below(2) * 7500U}),
        core_(std::make_unique<InitiatorCore>(tiny_options(in), pool_)),
        memory_(kDiskSectors * kSectorBytes),
        reply_(256) {
    if (in.below(8) != 0) {
      bring_up();
    }
  }

  ~World() {
    for (std::uint16_t i = 0; i < 2; ++i) {
      core_->close_device(now_, DeviceId{i});
    }
    poll();
    AOE_CHECK(accepted_ == completed_, "every accepted request ends once");
    core_.reset();
    AOE_CHECK(pool_.available() == pool_.count(), "every buffer returns");
  }

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void step() {
    switch (in_.below(12)) {
      case 0:
        change_port();
        break;
      case 1:
        open_or_close();
        break;
      case 2:
      case 3:
        submit();
        break;
      case 4:
        command();
        break;
      case 5:
        advance();
        break;
      case 6:
        raw_frame();
        break;
      case 7:
        advertisement();
        break;
      default:
        answer();
        break;
    }
    transmit();
    poll();
  }

 private:
  static DeviceAddress address(std::uint32_t number) {
    return {Shelf{7}, Slot{static_cast<std::uint8_t>(number)}};
  }

  static MacAddress mac(std::uint32_t number) {
    return {{2, 0, 0, 0, 1, static_cast<std::uint8_t>(number)}};
  }

  // A device with one live path: most of what is interesting comes after that.
  void bring_up() {
    core_->handle_port(now_, PortId{0}, {.mac = mac(100), .mtu_bytes = 1500, .link_up = true});
    static_cast<void>(core_->open_device(now_, address(1), {}));
    core_->handle_timeout(now_);
    transmit();
    advertise(PortId{0}, mac(1), {.buffer_count = 8, .sector_count = 2, .string = {}}, address(1));
    transmit();
    const SentFrame& probe = sent_.back();
    protocol::IdentifyModel model;
    model.serial = "disk";
    model.sector_count = kDiskSectors;
    std::vector<std::byte> frame(protocol::kAtaHeaderBytes + protocol::kIdentifyBytes);
    protocol::build_header(
        frame, protocol::reply_header(*protocol::parse_header(probe.bytes), mac(1), address(1)));
    protocol::build_ata(frame, {.command_status = 0x40});
    protocol::build_identify(ByteSpan(frame).subspan(protocol::kAtaHeaderBytes), model);
    deliver(PortId{0}, frame);
    transmit();
    const SentFrame& asked = sent_.back();
    if (const auto header = protocol::parse_header(asked.bytes);
        header->command == protocol::kHelloCommand) {
      frame.resize(protocol::kHelloBytes);
      protocol::FrameHeader reply = protocol::reply_header(*header, mac(1), address(1));
      reply.is_error = in_.below(3) == 0;
      reply.error = reply.is_error ? 1 : 0;
      protocol::build_header(frame, reply);
      protocol::build_hello(frame, granted(*protocol::parse_hello(asked.bytes)));
      deliver(PortId{0}, frame);
    }
    AOE_CHECK(core_->device(DeviceId{0})->is_up(), "good answers bring a device up");
  }

  // What a target grants, with few different values so that they meet again.
  protocol::Hello granted(const protocol::Hello& asked) {
    return {.capabilities = static_cast<std::uint16_t>(in_.below(5) == 0 ? in_.byte() : 3),
            .initiator_instance = asked.initiator_instance,
            .target_instance = 1 + in_.below(2),
            .session = 1 + in_.below(2),
            .frame_life_ms = in_.byte(),
            .sequence_window = in_.below(8),
            .sequence_low = asked.sequence_low};
  }

  void change_port() {
    const std::uint32_t port = in_.below(3);
    const std::size_t mtu = std::array<std::size_t, 4>{1500, 9000, 600, 1100}.at(in_.below(4));
    core_->handle_port(
        now_, PortId{static_cast<std::uint8_t>(port)},
        {.mac = mac(100 + in_.below(2)), .mtu_bytes = mtu, .link_up = in_.below(4) != 0});
  }

  void open_or_close() {
    const DeviceId some{static_cast<std::uint16_t>(in_.below(3))};
    switch (in_.below(4)) {
      case 0:
        core_->close_device(now_, some);
        return;
      case 1:
        core_->drain_device(some);
        return;
      default:
        break;
    }
    DeviceSettings settings;
    settings.deadline = Duration::milliseconds(in_.byte() * 10);
    settings.loss = {
        .on_path_loss = in_.below(4) == 0 ? OnPathLoss::fail : OnPathLoss::queue,
        .fast_io_fail = Duration::milliseconds(in_.below(4) * 500),
        .device_loss = Duration::milliseconds(in_.below(4) * 1000),
    };
    settings.instances =
        in_.below(2) == 0 ? DeviceSettings::Instances::one : DeviceSettings::Instances::many;
    if (in_.below(8) == 0) {
      settings.pinned_serial = "disk";
      settings.pinned_macs = {mac(1)};
    }
    settings.payload_sectors_max = in_.below(4);
    settings.window_max = in_.below(4);
    static_cast<void>(core_->open_device(now_, address(in_.below(3)), settings));
  }

  void submit() {
    IoRequest request;
    request.op = static_cast<IoOp>(in_.below(5));
    request.lba = Lba{in_.below(kDiskSectors + 2)};
    request.sectors = request.op == IoOp::flush ? 0 : in_.below(kDiskSectors + 2);
    request.durable = in_.below(4) == 0;
    // The memory is shared by all requests: what it holds is of no interest here.
    const std::size_t bytes = std::min(request.sectors * kSectorBytes, memory_.size());
    if (request.op == IoOp::read) {
      request.read_into = ByteSpan(memory_).first(bytes);
    } else if (request.op == IoOp::write) {
      request.write_from = ConstByteSpan(memory_).first(bytes);
    }
    if (core_->submit(now_, DeviceId{static_cast<std::uint16_t>(in_.below(3))}, request)) {
      ++accepted_;
    }
  }

  void command() {
    CommandRequest request;
    request.cookie = in_.below(4);
    if (in_.below(6) == 0) {
      core_->cancel_command(request.cookie);
      return;
    }
    request.address = in_.below(2) == 0 ? address(in_.below(3))
                                        : DeviceAddress{protocol::kAllShelves, protocol::kAllSlots};
    request.destination = in_.below(2) == 0 ? MacAddress::broadcast() : mac(in_.below(3));
    if (in_.below(2) == 0) {
      request.port = PortId{static_cast<std::uint8_t>(in_.below(3))};
    }
    request.command = static_cast<std::uint8_t>(in_.below(6));
    request.argument = ConstByteSpan(memory_).first(in_.byte() * std::size_t{8});
    request.reply = ByteSpan(reply_).first(in_.byte());
    request.timeout = Duration::milliseconds(in_.byte() * 10);
    request.retransmissions_max = in_.below(4);
    static_cast<void>(core_->submit_command(now_, request));
  }

  void advance() {
    now_ = now_ + Duration::milliseconds(std::array{0, 1, 50, 200, 5000}.at(in_.below(5)));
    if (const auto next = core_->poll_timeout(); next && in_.below(2) == 0) {
      now_ = std::max(now_, *next);
    }
    core_->handle_timeout(now_);
  }

  void deliver(PortId port, ConstByteSpan bytes) {
    PacketBuffer buffer = received_.allocate();
    buffer.resize(std::min(bytes.size(), buffer.capacity()));
    copy_bytes(buffer.bytes(), bytes.first(buffer.size()));
    core_->handle_frame(now_, port, std::move(buffer));
    AOE_CHECK(received_.available() == 1, "a received frame goes back at once");
  }

  void raw_frame() {
    deliver(PortId{static_cast<std::uint8_t>(in_.below(3))}, in_.take(in_.byte()));
  }

  void advertise(PortId port, MacAddress source, const protocol::ConfigFrame& config,
                 DeviceAddress from) {
    std::array<std::byte, 60> frame{};
    protocol::build_header(frame, {.destination = MacAddress::broadcast(),
                                   .source = source,
                                   .version = 0,
                                   .is_response = true,
                                   .address = from,
                                   .command = 1,
                                   .tag = {}});
    protocol::build_config(frame, config);
    deliver(port, frame);
  }

  void advertisement() {
    const PortId port{static_cast<std::uint8_t>(in_.below(2))};
    const MacAddress source = mac(in_.below(3));
    const std::uint16_t buffers = in_.byte();
    const auto sectors = static_cast<std::uint8_t>(in_.below(20));
    advertise(port, source, {.buffer_count = buffers, .sector_count = sectors, .string = {}},
              address(in_.below(3)));
  }

  // A plausible answer to something that was sent, with as much of it wrong as the input says.
  void answer() {
    if (sent_.empty()) {
      return;
    }
    const std::size_t index =
        in_.below(static_cast<std::uint32_t>(std::min<std::size_t>(sent_.size(), 255)));
    const SentFrame request = sent_[sent_.size() - 1 - index];
    const auto header = protocol::parse_header(request.bytes);
    std::vector<std::byte> frame(60);
    protocol::FrameHeader reply =
        protocol::reply_header(*header, header->destination, header->address);
    if (header->destination.is_group()) {
      reply.source = mac(in_.below(3));
    }
    if (reply.command == 0) {
      answer_ata(request, frame);
    } else if (reply.command == protocol::kHelloCommand) {
      frame.resize(protocol::kHelloBytes);
    } else if (reply.command == 1) {
      protocol::build_config(frame, {.buffer_count = 4, .sector_count = 2, .string = {}});
    }
    if (in_.below(8) == 0) {
      reply.is_error = true;
      reply.error = static_cast<std::uint8_t>(in_.below(8));
    }
    protocol::build_header(frame, reply);
    seal_or_greet(request, reply, frame);
    PortId port = request.port;
    switch (in_.below(10)) {
      case 0:
        frame.resize(in_.byte() % frame.size());
        break;
      case 1:
        frame[in_.byte() % frame.size()] ^= std::byte{in_.byte()};
        break;
      case 2:
        port = PortId{static_cast<std::uint8_t>(in_.below(3))};
        break;
      default:
        break;
    }
    deliver(port, frame);
  }

  // What depends on the whole frame: checksums.
  void seal_or_greet(const SentFrame& request, protocol::FrameHeader reply,
                     std::vector<std::byte>& frame) {
    const auto asked = protocol::parse_hello(request.bytes);
    if (reply.command == protocol::kHelloCommand && asked) {
      protocol::build_hello(frame, granted(*asked));
      return;
    }
    const auto seal = protocol::parse_seal(request.bytes);
    if (reply.command != 0 || !seal || in_.below(12) == 0) {
      return;
    }
    if (in_.below(8) == 0) {
      reply.command = protocol::kHelloCommand;
      frame.resize(protocol::kHelloBytes);
      protocol::build_header(frame, reply);
      protocol::build_hello(
          frame,
          {.kind = protocol::HelloKind::renew, .target_instance = 1, .session = seal->session});
      return;
    }
    protocol::Seal answer = *seal;
    if (in_.below(8) == 0) {
      answer.session += in_.below(2);
      answer.sequence += in_.below(2);
      answer.has_crc = in_.below(2) == 0;
    }
    const std::size_t data =
        frame.size() <= protocol::kFrameBytesMin ? 0 : frame.size() - protocol::kAtaHeaderBytes;
    if (data % kSectorBytes == 0) {
      frame.resize(protocol::sealed_frame_bytes(data));
      protocol::build_seal(frame, answer);
    }
  }

  void answer_ata(const SentFrame& request, std::vector<std::byte>& frame) {
    const auto ata = protocol::parse_ata(request.bytes);
    protocol::AtaArgument result = ata->argument;
    result.command_status = in_.below(8) == 0 ? in_.byte() : std::uint8_t{0x40};
    result.feature_error = result.command_status == 0x40 ? std::uint8_t{0} : in_.byte();
    const auto kind = protocol::find_opcode(ata->argument.command_status).kind;
    if (kind == protocol::AtaKind::identify) {
      protocol::IdentifyModel model;
      model.serial = in_.below(6) == 0 ? "other" : "disk";
      model.sector_count = in_.below(6) == 0 ? kDiskSectors * 2 : kDiskSectors;
      model.has_trim = in_.below(2) == 0;
      model.trim_reads_zero = in_.below(2) == 0;
      model.has_flush = in_.below(2) == 0;
      model.has_lba48 = in_.below(4) != 0;
      frame.resize(protocol::kAtaHeaderBytes + protocol::kIdentifyBytes);
      protocol::build_identify(ByteSpan(frame).subspan(protocol::kAtaHeaderBytes), model);
    } else if (kind == protocol::AtaKind::read) {
      frame.resize(std::max(protocol::kFrameBytesMin,
                            protocol::kAtaHeaderBytes + result.sector_count * kSectorBytes));
    }
    protocol::build_ata(frame, result);
  }

  void transmit() {
    std::array<TxFrame, 3> batch;
    while (const std::size_t count = core_->poll_transmit(now_, batch)) {
      for (TxFrame& out : std::span(batch).first(count)) {
        const PacketBuffer frame = std::move(out.frame);
        const ConstByteSpan bytes = frame.bytes();
        AOE_CHECK(bytes.size() >= protocol::kFrameBytesMin, "frames are padded");
        sent_.push_back({out.port, {bytes.begin(), bytes.end()}});
      }
      AOE_CHECK(sent_.size() < 100'000, "sending comes to an end");
    }
    if (sent_.size() > 64) {
      sent_.erase(sent_.begin(), sent_.end() - 64);
    }
  }

  void poll() {
    std::array<IoCompletion, 4> completions;
    while (const std::size_t count = core_->poll_completions(completions)) {
      completed_ += count;
    }
    std::array<CommandCompletion, 4> commands;
    while (core_->poll_commands(commands) > 0) {
    }
    std::array<Event, 2> events;
    while (core_->poll_events(events) > 0) {
    }
  }

  Input& in_;
  Instant now_{1'000'000'000};
  BufferPool received_;
  BufferPool pool_;
  std::unique_ptr<InitiatorCore> core_;
  std::vector<std::byte> memory_;
  std::vector<std::byte> reply_;
  std::vector<SentFrame> sent_;
  std::uint64_t accepted_ = 0;
  std::uint64_t completed_ = 0;
};

}  // namespace
}  // namespace aoe::initiator

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  aoe::initiator::Input in(std::as_bytes(std::span(data, size)));
  aoe::initiator::World world(in);
  while (!in.empty()) {
    world.step();
  }
  return 0;
}
