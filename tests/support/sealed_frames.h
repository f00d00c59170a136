// Hello and sealed requests for tests, made from the plain requests of FrameBuilder.
#pragma once

#include "protocol/aoe_session.h"
#include "support/frame_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace aoe::test {

inline constexpr std::uint64_t kInstanceA = 0xA1A2A3A4A5A6A7A8;
inline constexpr std::uint64_t kInstanceB = 0xB1B2B3B4B5B6B7B8;
inline constexpr std::uint16_t kAllCapabilities =
    protocol::kCapabilitySequences | protocol::kCapabilityCrc;

// `header` is a request whose addresses and tag the hello takes over.
inline Bytes hello_frame(const FrameBuilder& header, const protocol::Hello& hello) {
  Bytes frame = header.build();
  frame.resize(protocol::kHelloBytes);
  protocol::build_hello(frame, hello);
  return frame;
}

inline FrameBuilder hello_header() {
  return FrameBuilder::command(protocol::kHelloCommand);
}

inline protocol::Hello hello_of(std::uint64_t instance, std::uint32_t low = 1) {
  return {.capabilities = kAllCapabilities,
          .initiator_instance = instance,
          .frame_life_ms = 1000,
          .sequence_low = low};
}

// The ATA request with a seal behind its whole sectors; padding goes.
inline Bytes sealed(const Bytes& plain, const protocol::Seal& seal) {
  const std::size_t data_bytes =
      plain.size() <= protocol::kFrameBytesMin
          ? 0
          : (plain.size() - protocol::kAtaHeaderBytes) / kSectorBytes * kSectorBytes;
  Bytes frame = plain;
  frame.resize(protocol::kAtaHeaderBytes + data_bytes);
  frame.resize(protocol::sealed_frame_bytes(data_bytes));
  protocol::build_seal(frame, seal);
  return frame;
}

// A sealed reply as a plain one: what matchers of plain replies look at.
inline Bytes opened(const Bytes& frame) {
  const ConstByteSpan content = protocol::without_seal(frame);
  Bytes plain(content.begin(), content.end());
  plain.resize(std::max(plain.size(), protocol::kFrameBytesMin));
  return plain;
}

}  // namespace aoe::test
