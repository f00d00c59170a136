// Writes frames into a capture file: classic pcap, microseconds, link type Ethernet
// (draft-ietf-opsawg-pcap). Host byte order, as the format allows.
#pragma once

#include "base/bytes.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <string>

namespace aoe::test {

class PcapWriter {
 public:
  explicit PcapWriter(const std::string& path) : file_(path, std::ios::binary) {
    write(std::array<std::uint32_t, 6>{0xA1B2C3D4, 2U | 4U << 16U, 0, 0, 65535, 1});
  }

  // One millisecond after the one before.
  void add(ConstByteSpan frame) {
    const auto bytes = static_cast<std::uint32_t>(frame.size());
    write(std::array<std::uint32_t, 4>{count_ / 1000, count_ % 1000 * 1000, bytes, bytes});
    file_.write(as_text(frame).data(), static_cast<std::streamsize>(frame.size()));
    ++count_;
  }

  // Frames so far; false after any failure.
  [[nodiscard]] std::uint32_t count() const { return count_; }

  [[nodiscard]] bool good() { return static_cast<bool>(file_.flush()); }

 private:
  template <class Words>
  void write(const Words& words) {
    const ConstByteSpan bytes = std::as_bytes(std::span(words));
    file_.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
  }

  std::ofstream file_;
  std::uint32_t count_ = 0;
};

}  // namespace aoe::test
