#include "config/diagnostics.h"

#include <gtest/gtest.h>

#include <array>

namespace aoe::config {
namespace {

constexpr std::array<std::string_view, 3> kWords{"mode", "buffers", "remote_admin"};

TEST(Diagnostics, SlipsFindTheirKey) {
  EXPECT_EQ(nearest_word("bufers", kWords), "buffers");
  EXPECT_EQ(nearest_word("modes", kWords), "mode");
  EXPECT_EQ(nearest_word("remote-admin", kWords), "remote_admin");
  EXPECT_EQ(nearest_word("Mode", kWords), "mode");
}

TEST(Diagnostics, StrangeWordsFindNothing) {
  EXPECT_EQ(nearest_word("shelf", kWords), std::nullopt);
  EXPECT_EQ(nearest_word("", kWords), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(100'000, 'm'), kWords), std::nullopt);
  EXPECT_EQ(unknown_word("key", "shelf", kWords),
            "unknown key \"shelf\": expected one of mode, buffers, remote_admin");
}

TEST(Diagnostics, TextFromOutsideStaysOnOneLine) {
  EXPECT_EQ(in_quotes("a\nb\x1b[31m\xff"), R"("a\x0ab\x1b[31m\xff")");
  EXPECT_EQ(in_quotes(std::string(121, 'x')), '"' + std::string(120, 'x') + "..\"");
}

}  // namespace
}  // namespace aoe::config
