// aoe-reflector: the least that can be called an AoE target. It answers ATA reads and writes from
// memory and checks nothing: the yardstick for targets that do more.
#include "protocol/aoe_ata.h"
#include "wire/ring_socket.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace aoe::bench {
namespace {

constexpr std::size_t kFlagsAt = 14;
constexpr std::byte kResponseFlag{0x08};
constexpr std::byte kReadyStatus{0x40};
constexpr std::size_t kCommandAt = 27;
constexpr std::size_t kCountAt = 26;
constexpr std::size_t kStatusAt = 27;
constexpr std::size_t kLbaAt = 28;
constexpr std::byte kWriteExt{0x34};
constexpr std::byte kReadExt{0x24};
constexpr std::size_t kMacBytes = 6;
constexpr std::size_t kSector = 512;
constexpr std::size_t kDataAt = protocol::kAtaHeaderBytes;

// Sectors beyond the end wrap around: nothing is refused.
std::size_t answer(ByteSpan out, ByteSpan frame, ByteSpan disk) {
  const std::size_t bytes = std::to_integer<std::size_t>(frame[kCountAt]) * kSector;
  std::uint64_t lba = 0;
  std::memcpy(&lba, frame.data() + kLbaAt, 6);
  const std::size_t at = lba * kSector % (disk.size() - kDataAt - 255 * kSector);
  std::memcpy(out.data(), frame.data() + kMacBytes, kMacBytes);
  std::memcpy(out.data() + kMacBytes, frame.data(), kMacBytes);
  std::memcpy(out.data() + 2 * kMacBytes, frame.data() + 2 * kMacBytes, kDataAt - 2 * kMacBytes);
  out[kFlagsAt] |= kResponseFlag;
  out[kStatusAt] = kReadyStatus;
  if (frame[kCommandAt] == kWriteExt && frame.size() >= kDataAt + bytes) {
    std::memcpy(disk.data() + at, frame.data() + kDataAt, bytes);
  } else if (frame[kCommandAt] == kReadExt && out.size() >= kDataAt + bytes) {
    std::memcpy(out.data() + kDataAt, disk.data() + at, bytes);
    return std::max(protocol::kFrameBytesMin, kDataAt + bytes);
  }
  std::memset(out.data() + kDataAt, 0, protocol::kFrameBytesMin - kDataAt);
  return protocol::kFrameBytesMin;
}

int run(const std::string& interface, std::uint64_t size_bytes, std::size_t ring_bytes, bool spin) {
  auto opened = RingSocket::open(interface, ring_bytes);
  if (!opened) {
    fmt::print(stderr, "aoe-reflector: {}\n", opened.error().message);
    return 1;
  }
  RingSocket& socket = **opened;
  void* memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    fmt::print(stderr, "aoe-reflector: {} bytes of memory: not to be had\n", size_bytes);
    return 1;
  }
  const ByteSpan disk{static_cast<std::byte*>(memory), size_bytes};
  fmt::print(stderr, "aoe-reflector: ready on {}\n", interface);
  for (;;) {
    std::size_t count = 0;
    for (ByteSpan out = socket.next_out(); !out.empty(); out = socket.next_out()) {
      const ByteSpan frame = socket.peek();
      if (frame.empty()) {
        break;
      }
      if (frame.size() >= kDataAt && (frame[kFlagsAt] & kResponseFlag) == std::byte{0}) {
        socket.push(answer(out, frame, disk));
        ++count;
      }
      socket.drop();
    }
    if (count != 0) {
      socket.flush();
    } else if (!spin) {
      socket.wait(-1);
    }
  }
}

}  // namespace
}  // namespace aoe::bench

int main(int argc, char** argv) {
  CLI::App app(
      "Answers AoE reads and writes of any address from memory: a yardstick, not a target");
  std::string interface;
  std::uint64_t size_mib = 256;
  std::size_t ring_mib = 4;
  bool spin = false;
  app.add_option("-i,--interface", interface, "where")->required();
  app.add_option("--size-mib", size_mib, "of the memory")->check(CLI::Range(1, 65536));
  app.add_option("--ring-mib", ring_mib, "of the receive ring")->check(CLI::Range(1, 1024));
  app.add_flag("--spin", spin, "never sleep");
  CLI11_PARSE(app, argc, argv);
  return aoe::bench::run(interface, size_mib << 20U, ring_mib << 20U, spin);
}
