// Every truncation and every single-bit flip of every example frame through everything that reads
// frames. Under AddressSanitizer this also proves that nothing reads past the end: each input lives
// in an allocation of exactly its own size.
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/aoe_session.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_smart.h"
#include "protocol/ata_trim.h"
#include "protocol/dissect.h"
#include "support/example_frames.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace aoe::protocol {
namespace {

using test::ExampleFrame;

std::vector<ExampleFrame> all_frames() {
  std::vector<ExampleFrame> frames = test::example_frames();
  const auto& more = test::session_frames();
  frames.insert(frames.end(), more.begin(), more.end());
  return frames;
}

bool lies_within(ConstByteSpan part, ConstByteSpan frame) {
  const std::less_equal<const std::byte*> not_after;
  return part.empty() || (not_after(frame.data(), part.data()) &&
                          not_after(part.data() + part.size(), frame.data() + frame.size()));
}

void read_everything(ConstByteSpan frame, PayloadDetail payload) {
  static_cast<void>(parse_header(frame));
  static_cast<void>(parse_hello(frame));
  static_cast<void>(parse_seal(frame));
  DissectOptions options{.payload = payload};
  if (const auto config = parse_config(frame)) {
    ASSERT_TRUE(lies_within(config->string, frame));
  }
  if (const auto mask = parse_mask(frame)) {
    ASSERT_TRUE(lies_within(mask->directives, frame));
    for (std::size_t i = 0; i < mask->size(); ++i) {
      static_cast<void>(mask->directive(i));
    }
  }
  if (const auto reserve = parse_reserve(frame)) {
    ASSERT_TRUE(lies_within(reserve->addresses, frame));
    for (std::size_t i = 0; i < reserve->mac_count; ++i) {
      static_cast<void>(reserve->address(i));
    }
  }
  if (const auto ata = parse_ata(frame)) {
    ASSERT_TRUE(lies_within(ata->data, frame));
    if (const auto ranges = parse_trim(ata->data, ata->argument.sector_count)) {
      static_cast<void>(ranges->all_within(1000));
    }
    if (ata->data.size() >= kIdentifyBytes) {
      static_cast<void>(parse_identify(ata->data));
      static_cast<void>(parse_smart_data(ata->data));
    }
    options.request = ata->argument;
  }
  ASSERT_FALSE(dissect_line(frame).empty());
  ASSERT_FALSE(dissect_fields(frame, options).empty());
}

void read_copy(ConstByteSpan bytes, PayloadDetail payload) {
  const auto copy = std::make_unique<std::byte[]>(bytes.size());
  const ByteSpan exact(copy.get(), bytes.size());
  copy_bytes(exact, bytes);
  read_everything(exact, payload);
}

TEST(HostileBytes, EveryTruncationIsSurvived) {
  for (const ExampleFrame& example : all_frames()) {
    SCOPED_TRACE(example.name);
    for (std::size_t length = 0; length <= example.bytes.size(); ++length) {
      read_copy(ConstByteSpan(example.bytes).first(length), PayloadDetail::hex);
      ASSERT_FALSE(HasFatalFailure()) << "at length " << length;
    }
  }
}

TEST(HostileBytes, EverySingleBitFlipIsSurvived) {
  for (const ExampleFrame& example : all_frames()) {
    SCOPED_TRACE(example.name);
    std::vector<std::byte> bytes = example.bytes;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<std::byte>(1U << bit % 8);
      bytes[bit / 8] ^= mask;
      read_copy(bytes, PayloadDetail::decoded);
      ASSERT_FALSE(HasFatalFailure()) << "at bit " << bit;
      bytes[bit / 8] ^= mask;
    }
  }
}

// A reply decoded with the argument of an unrelated request: the dissector may not believe it.
TEST(HostileBytes, AnyRequestMayBeClaimedForAnyReply) {
  for (const ExampleFrame& example : all_frames()) {
    SCOPED_TRACE(example.name);
    for (unsigned opcode = 0; opcode <= 0xFF; ++opcode) {
      DissectOptions options{.payload = PayloadDetail::decoded, .request = AtaArgument{}};
      options.request->command_status = static_cast<std::uint8_t>(opcode);
      options.request->sector_count = 255;
      options.request->feature_error = 0xD0;
      EXPECT_FALSE(dissect_line(example.bytes, options).empty());
      EXPECT_FALSE(dissect_fields(example.bytes, options).empty());
    }
  }
}

TEST(HostileBytes, DataCutOffBeforeItsEndIsNotDecodedBeyondIt) {
  const ConstByteSpan frame = test::example_frame(4);
  for (const unsigned opcode : {0xECU, 0xB0U, 0x06U}) {
    DissectOptions options{.payload = PayloadDetail::decoded, .request = AtaArgument{}};
    options.request->command_status = static_cast<std::uint8_t>(opcode);
    options.request->feature_error = 0xD0;
    options.request->sector_count = 1;
    for (std::size_t length = kAtaHeaderBytes; length <= frame.size(); ++length) {
      const auto copy = std::make_unique<std::byte[]>(length);
      copy_bytes({copy.get(), length}, frame.first(length));
      EXPECT_FALSE(dissect_fields({copy.get(), length}, options).empty());
    }
  }
}

}  // namespace
}  // namespace aoe::protocol
