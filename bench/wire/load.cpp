// aoe-load: keeps a number of AoE reads or writes under way and tells how many were answered, how
// long that took, and what it cost this side. No windows, no sessions, no retries but the plainest.
#include "base/latency_histogram.h"
#include "base/mac_address.h"
#include "base/prng.h"
#include "os/clock.h"
#include "protocol/aoe_ata.h"
#include "wire/ring_socket.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace aoe::bench {
namespace {

constexpr std::uint8_t kReadExt = 0x24;
constexpr std::uint8_t kWriteExt = 0x34;
constexpr std::uint8_t kFailureBits = 0xA1;  // BSY, DF, ERR
constexpr std::size_t kSector = 512;
constexpr std::size_t kDataAt = protocol::kAtaHeaderBytes;
constexpr std::uint32_t kDepthMax = 4096;
constexpr Duration kPatience = Duration::milliseconds(200);
constexpr std::uint32_t kSlotsPerShelf = 16;
constexpr std::uint64_t kStampSalt = 0x9E3779B97F4A7C15ULL;

struct Settings {
  std::string interface;
  std::string to;
  std::string device = "e7.1";
  std::string op = "read";
  std::uint32_t block_bytes = 1024;
  std::uint32_t depth = 64;
  std::uint64_t span_bytes = std::uint64_t{256} << 20U;
  double seconds = 1;
  std::uint64_t requests_max = 0;
  std::uint32_t devices = 1;
  std::uint32_t initiators = 1;
  bool sequential = false;
  bool spin = false;
  bool verify = false;
};

struct Pending {
  bool in_use = false;
  std::uint16_t generation = 0;
  std::uint64_t block = 0;
  DeviceAddress device;
  std::uint32_t initiator = 0;
  Instant sent;
  Instant sent_again;
};

class Load {
 public:
  Load(const Settings& settings, RingSocket& socket, const MacAddress& to, DeviceAddress device)
      : settings_(settings),
        socket_(socket),
        slots_(settings.depth),
        blocks_(settings.span_bytes / settings.block_bytes),
        is_write_(settings.op != "read"),
        first_device_(device) {
    header_.destination = to;
    std::transform(socket.mac().begin(), socket.mac().end(), header_.source.octets.begin(),
                   [](std::byte byte) { return static_cast<std::uint8_t>(byte); });
  }

  // A fill writes every block once, in order.
  void run() {
    begin_ = os::monotonic_now();
    const bool is_fill = settings_.op == "fill";
    const Instant end = begin_ + Duration{static_cast<std::int64_t>(settings_.seconds * 1e9)};
    Instant now = begin_;
    answered_at_ = begin_;
    next_look_ = now + kPatience;
    for (;;) {
      const bool is_over = is_fill                       ? next_block_ >= blocks_
                           : settings_.requests_max != 0 ? started_ >= settings_.requests_max
                                                         : now >= end;
      if (is_over && in_flight_ == 0) {
        break;
      }
      if (!is_over) {
        start_more(now, is_fill);
      }
      refused_ += socket_.flush();
      if (socket_.peek().empty() && !settings_.spin) {
        socket_.wait(50);
      }
      now = os::monotonic_now();
      take_answers(now);
      if (now >= next_look_) {
        send_again(now);
        next_look_ = now + kPatience;
      }
      if (now > answered_at_ + Duration::seconds(10)) {
        break;  // it answers no more
      }
    }
    end_ = now;
  }

  [[nodiscard]] std::string json() const {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    const double seconds = static_cast<double>((end_ - begin_).ns) / 1e9;
    const auto micro = [this](double percent) {
      return static_cast<double>(latency_.percentile(percent).ns) / 1e3;
    };
    return fmt::format(
        R"({{"version":1,"op":"{}","block_bytes":{},"depth":{},"requests":{},"seconds":{:.6f},)"
        R"("iops":{:.1f},"mib_per_s":{:.2f},"p50_us":{:.2f},"p99_us":{:.2f},"p999_us":{:.2f},)"
        R"("cpu_us_per_request":{:.3f},"retransmissions":{},"errors":{},"mismatches":{},"unanswered":{}}})",
        settings_.op, settings_.block_bytes, settings_.depth, answered_, seconds,
        static_cast<double>(answered_) / seconds,
        static_cast<double>(answered_ * settings_.block_bytes) / seconds / 1048576.0, micro(50),
        micro(99), micro(99.9),
        (us(usage.ru_utime) + us(usage.ru_stime)) /
            static_cast<double>(std::max<std::uint64_t>(answered_, 1)),
        resent_, errors_, mismatches_, in_flight_);
  }

  [[nodiscard]] bool is_good() const {
    return answered_ != 0 && errors_ == 0 && mismatches_ == 0 && in_flight_ == 0;
  }

 private:
  void start_more(Instant now, bool in_order) {
    for (std::uint32_t i = 0; i < slots_.size() && in_flight_ < slots_.size(); ++i) {
      Pending& slot = slots_[cursor_];
      cursor_ = cursor_ + 1 == slots_.size() ? 0 : cursor_ + 1;
      if (slot.in_use) {
        continue;
      }
      if (settings_.requests_max != 0 && started_ >= settings_.requests_max) {
        return;
      }
      if (in_order && next_block_ >= blocks_) {
        return;
      }
      slot.block =
          in_order || settings_.sequential ? next_block_++ % blocks_ : random_.next() % blocks_;
      slot.device = settings_.devices == 1 ? first_device_ : device(random_.next());
      slot.initiator = static_cast<std::uint32_t>(random_.next() % settings_.initiators);
      slot.in_use = true;
      ++slot.generation;
      slot.sent = now;
      slot.sent_again = now;
      ++in_flight_;
      ++started_;
      send(static_cast<std::uint32_t>(&slot - slots_.data()));
    }
  }

  // One of those from the first on, shelf by shelf.
  [[nodiscard]] DeviceAddress device(std::uint64_t random) const {
    const auto number = static_cast<std::uint32_t>(random % settings_.devices);
    return {.shelf = Shelf{static_cast<std::uint16_t>(first_device_.shelf.value +
                                                      number / kSlotsPerShelf)},
            .slot = Slot{static_cast<std::uint8_t>(number % kSlotsPerShelf)}};
  }

  void send(std::uint32_t index) {
    ByteSpan frame = socket_.next_out();
    if (frame.empty()) {
      refused_ += socket_.flush();
      frame = socket_.next_out();
    }
    const Pending& slot = slots_[index];
    header_.address = slot.device;
    if (settings_.initiators > 1) {
      // A locally administered address each; the answers to it still come down this cable.
      header_.source = {{0x02, 0xAE, 0, 0, static_cast<std::uint8_t>(slot.initiator >> 8U),
                         static_cast<std::uint8_t>(slot.initiator)}};
    }
    header_.tag = Tag{std::uint32_t{slot.generation} << 16U | index};
    protocol::build_header(frame, header_);
    protocol::AtaArgument ata;
    ata.flags =
        protocol::kAtaFlagExtended | (is_write_ ? protocol::kAtaFlagWrite : std::uint8_t{0});
    ata.sector_count = static_cast<std::uint8_t>(settings_.block_bytes / kSector);
    ata.command_status = is_write_ ? kWriteExt : kReadExt;
    ata.set_lba48(Lba{slot.block * settings_.block_bytes / kSector});
    protocol::build_ata(frame, ata);
    if (!is_write_) {
      std::memset(frame.data() + kDataAt, 0, protocol::kFrameBytesMin - kDataAt);
      socket_.push(protocol::kFrameBytesMin);
      return;
    }
    const std::uint64_t stamp = (slot.block + 1) * kStampSalt;
    std::memcpy(frame.data() + kDataAt, &stamp, sizeof stamp);
    socket_.push(kDataAt + settings_.block_bytes);
  }

  void take_answers(Instant now) {
    for (ByteSpan frame = socket_.peek(); !frame.empty(); frame = socket_.peek()) {
      take_answer(now, frame);
      socket_.drop();
    }
  }

  void take_answer(Instant now, ByteSpan frame) {
    const auto header = protocol::parse_header(frame);
    if (!header || !header->is_response) {
      return;
    }
    const std::uint32_t index = header->tag.value & 0xFFFFU;
    if (index >= slots_.size() || !slots_[index].in_use ||
        slots_[index].device != header->address ||
        slots_[index].generation != header->tag.value >> 16U) {
      return;
    }
    const auto ata = protocol::parse_ata(frame);
    Pending& slot = slots_[index];
    if (header->is_error || !ata || (ata->argument.command_status & kFailureBits) != 0) {
      ++errors_;
    } else if (settings_.verify && !is_write_) {
      std::uint64_t stamp = 0;
      if (ata->data.size() >= settings_.block_bytes) {
        std::memcpy(&stamp, ata->data.data(), sizeof stamp);
      }
      mismatches_ += stamp == (slot.block + 1) * kStampSalt ? 0 : 1;
    }
    slot.in_use = false;
    answered_at_ = now;
    --in_flight_;
    ++answered_;
    latency_.add(now - slot.sent);
  }

  void send_again(Instant now) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].in_use && now >= slots_[i].sent_again + kPatience) {
        slots_[i].sent_again = now;
        ++resent_;
        send(i);
      }
    }
  }

  const Settings& settings_;
  RingSocket& socket_;
  std::vector<Pending> slots_;
  std::uint64_t blocks_;
  bool is_write_;
  DeviceAddress first_device_;
  protocol::FrameHeader header_;
  Prng random_{17};
  LatencyHistogram latency_;
  std::uint32_t cursor_ = 0;
  std::uint64_t next_block_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t resent_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t mismatches_ = 0;
  Instant begin_;
  Instant end_;
  Instant answered_at_;
  Instant next_look_;
};

int run(const Settings& settings) {
  const auto to = parse_mac_address(settings.to);
  const auto device = parse_device_address(settings.device);
  if (!to || !device) {
    fmt::print(stderr, "aoe-load: --to {} --device {}: expected a MAC address and e7.1\n",
               settings.to, settings.device);
    return 2;
  }
  auto socket = RingSocket::open(settings.interface, std::size_t{16} << 20U);
  if (!socket) {
    fmt::print(stderr, "aoe-load: {}\n", socket.error().message);
    return 1;
  }
  if (settings.block_bytes % kSector != 0 ||
      settings.block_bytes + kDataAt > (*socket)->frame_bytes_max() ||
      settings.span_bytes < settings.block_bytes) {
    fmt::print(stderr, "aoe-load: --bs {}: no whole sectors, or more than a frame of {} holds\n",
               settings.block_bytes, settings.interface);
    return 2;
  }
  Load load(settings, **socket, *to, *device);
  load.run();
  fmt::print("{}\n", load.json());
  return load.is_good() ? 0 : 1;
}

}  // namespace
}  // namespace aoe::bench

int main(int argc, char** argv) {
  CLI::App app("Loads an AoE target with reads or writes and prints JSON");
  aoe::bench::Settings settings;
  app.add_option("-i,--interface", settings.interface, "where")->required();
  app.add_option("--to", settings.to, "the target's MAC address")->required();
  app.add_option("--device", settings.device, "its address");
  app.add_option("--devices", settings.devices,
                 "so many, from that address on, 16 a shelf, in random order")
      ->check(CLI::Range(1U, 65536U));
  app.add_option("--initiators", settings.initiators, "so many senders, in random order")
      ->check(CLI::Range(1U, 65536U));
  app.add_option("--op", settings.op, "read, write, or fill: every block once")
      ->check(CLI::IsMember({"read", "write", "fill"}));
  app.add_option("--bs", settings.block_bytes, "bytes a request");
  app.add_option("--depth", settings.depth, "requests under way")
      ->check(CLI::Range(1U, aoe::bench::kDepthMax));
  app.add_option("--span", settings.span_bytes, "bytes of the device that are used");
  app.add_option("--time", settings.seconds, "how long")->check(CLI::Range(0.01, 3600.0));
  app.add_option("--requests", settings.requests_max, "end after so many instead");
  app.add_flag("--sequential", settings.sequential, "one block after the other");
  app.add_flag("--spin", settings.spin, "never sleep");
  app.add_flag("--verify", settings.verify, "reads must show what a fill wrote");
  CLI11_PARSE(app, argc, argv);
  return aoe::bench::run(settings);
}
