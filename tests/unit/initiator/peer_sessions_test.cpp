#include "initiator/peer_sessions.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

using Change = PeerSessions::Change;
using protocol::Hello;

Hello hello(std::uint64_t instance, std::uint32_t session) {
  return {.capabilities = protocol::kCapabilitySequences | protocol::kCapabilityCrc,
          .target_instance = instance,
          .session = session,
          .frame_life_ms = 1500,
          .sequence_window = 64};
}

TEST(PeerSessions, OneInstanceHasOneSessionOverAllPaths) {
  PeerSessions sessions(2, 128, 1);
  const auto first = sessions.adopt(hello(7, 100), 0);
  EXPECT_EQ(first.change, Change::founded);
  const auto again = sessions.adopt(hello(7, 100), 0b1);
  EXPECT_EQ(again.change, Change::none);
  EXPECT_EQ(again.index, first.index);
  const PeerSession& session = sessions.at(first.index);
  EXPECT_TRUE(session.has_crc);
  EXPECT_TRUE(session.remembers);
  EXPECT_EQ(session.frame_life, Duration::milliseconds(1500));
}

TEST(PeerSessions, ARenewedSessionGoesOnCounting) {
  PeerSessions sessions(2, 128, 1);
  const std::uint32_t index = sessions.adopt(hello(7, 100), 0).index;
  EXPECT_EQ(sessions.at(index).sequences.acquire(), 1U);
  EXPECT_TRUE(sessions.lose(index, 100));
  EXPECT_FALSE(sessions.lose(index, 100)) << "said twice";
  EXPECT_EQ(sessions.at(index).id, 0U);
  EXPECT_EQ(sessions.adopt(hello(7, 101), 0b1).change, Change::renewed);
  EXPECT_EQ(sessions.at(index).id, 101U);
  EXPECT_EQ(sessions.at(index).sequences.acquire(), 2U);
  EXPECT_FALSE(sessions.lose(index, 100)) << "a late word about the old one";
}

TEST(PeerSessions, AnotherInstanceHasItsOwn) {
  PeerSessions sessions(2, 128, 1);
  const std::uint32_t a = sessions.adopt(hello(7, 100), 0).index;
  const auto b = sessions.adopt(hello(8, 100), 1U << a);
  EXPECT_EQ(b.change, Change::founded);
  EXPECT_NE(b.index, a);
}

TEST(PeerSessions, AnInstanceThatNoPathReachesMakesRoomAndKeepsItsCount) {
  PeerSessions sessions(1, 128, 1);
  const std::uint32_t index = sessions.adopt(hello(7, 100), 0).index;
  static_cast<void>(sessions.at(index).sequences.acquire());
  const auto next = sessions.adopt(hello(8, 200), 0);
  EXPECT_EQ(next.change, Change::founded);
  EXPECT_EQ(next.index, index);
  sessions.at(index).sequences.finish(1);
  EXPECT_EQ(sessions.at(index).sequences.low(), 2U);
}

TEST(PeerSessions, WithoutTheCapabilityOrAWindowNothingIsRemembered) {
  PeerSessions sessions(2, 128, 1);
  Hello grant = hello(7, 100);
  grant.capabilities = protocol::kCapabilityCrc;
  EXPECT_FALSE(sessions.at(sessions.adopt(grant, 0).index).remembers);
  grant = hello(7, 100);
  grant.sequence_window = 0;
  EXPECT_FALSE(sessions.at(sessions.adopt(grant, 0).index).remembers);
  grant.capabilities = protocol::kCapabilitySequences;
  EXPECT_FALSE(sessions.at(sessions.adopt(grant, 0).index).has_crc);
}

TEST(PeerSessions, TheGrantedWindowIsObeyed) {
  PeerSessions sessions(1, 128, 1);
  Hello grant = hello(7, 100);
  grant.sequence_window = 2;
  SequenceWindow& window = sessions.at(sessions.adopt(grant, 0).index).sequences;
  EXPECT_TRUE(window.acquire().has_value());
  EXPECT_TRUE(window.acquire().has_value());
  EXPECT_FALSE(window.acquire().has_value());
}

TEST(PeerSessions, NextSequenceIsBeyondAllOfThem) {
  PeerSessions sessions(2, 128, 0xFFFFFFFE);
  EXPECT_EQ(sessions.next_sequence(), 0xFFFFFFFEU);
  const std::uint32_t a = sessions.adopt(hello(7, 100), 0).index;
  const std::uint32_t b = sessions.adopt(hello(8, 200), 1U << a).index;
  static_cast<void>(sessions.at(b).sequences.acquire());
  static_cast<void>(sessions.at(b).sequences.acquire());
  EXPECT_EQ(sessions.next_sequence(), 1U);
}

}  // namespace
}  // namespace aoe::initiator
