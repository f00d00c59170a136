#include "compat/aoetools/sancheck.h"

#include "unit/compat/aoetools/fake_session.h"

#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

using initiator::FakeTarget;
using initiator::Sent;

TEST(ProbePaths, FindsTheLargestFrameThatPasses) {
  FakeTarget target;
  target.sector_count = 2;
  std::uint32_t asked = 0;
  const auto session = session_with([&](const Sent& sent) -> std::optional<initiator::Bytes> {
    if (sent.is_identify()) {
      ++asked;
    }
    return target.answer(sent);
  });
  const auto paths = probe_paths(*session, "test0", 2);
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths[0].address, initiator::kE71);
  EXPECT_EQ(paths[0].mac, initiator::kTargetMac);
  EXPECT_EQ(paths[0].sectors_offered, 2U);
  EXPECT_EQ(paths[0].sectors_passed, 2U);
  EXPECT_EQ(asked, 1U);
}

TEST(ProbePaths, ASmallerPathIsFoundBySilence) {
  FakeTarget target;
  const auto session = session_with([&](const Sent& sent) -> std::optional<initiator::Bytes> {
    if (sent.is_identify() && sent.frame.size() > protocol::kAtaHeaderBytes + kSectorBytes) {
      return std::nullopt;
    }
    return target.answer(sent);
  });
  const auto paths = probe_paths(*session, "test0", 2);
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths[0].sectors_passed, 1U);
}

}  // namespace
}  // namespace aoe::compat::aoetools
