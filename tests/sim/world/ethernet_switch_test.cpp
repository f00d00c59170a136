#include "sim/world/ethernet_switch.h"

#include "sim/world/network_fixture.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace aoe::sim {
namespace {

class EthernetSwitchTest : public ::testing::Test {
 protected:
  EthernetSwitchTest() {
    for (std::uint16_t i = 0; i < ears_.size(); ++i) {
      links_[i] = std::make_unique<Link>(world_, i);
      switch_.attach(*links_[i], ears_[i], 0);
    }
  }

  // From station `from` (its number is its MAC's) to the address.
  void send(std::uint8_t from, const MacAddress& to) {
    links_[from]->to_far().send(world_.now(),
                                numbered_frame(world_, from, 60, station_mac(from), to));
    world_.events().run_until(world_.now() + Duration::milliseconds(1));
  }

  [[nodiscard]] std::size_t heard(std::size_t ear) {
    const std::size_t count = ears_[ear].heard.size();
    ears_[ear].heard.clear();
    return count;
  }

  void forget() {
    for (Ear& ear : ears_) {
      ear.heard.clear();
    }
  }

  World world_{{.seed = 1}};
  std::array<Ear, 3> ears_;
  std::array<std::unique_ptr<Link>, 3> links_;
  EthernetSwitch switch_{world_, {.ports = 3, .stations_max = 2}};
};

TEST_F(EthernetSwitchTest, FloodsWhatItDoesNotKnowAndForwardsWhatItLearned) {
  send(0, station_mac(1));
  EXPECT_EQ(heard(1), 1U);
  EXPECT_EQ(heard(2), 1U);
  EXPECT_EQ(heard(0), 0U);
  send(1, station_mac(0));
  EXPECT_EQ(heard(0), 1U);
  EXPECT_EQ(heard(2), 0U);
}

TEST_F(EthernetSwitchTest, SendsGroupAddressesToEverybodyElse) {
  send(1, MacAddress::broadcast());
  EXPECT_EQ(heard(0), 1U);
  EXPECT_EQ(heard(2), 1U);
  EXPECT_EQ(heard(1), 0U);
}

TEST_F(EthernetSwitchTest, FollowsAStationThatMoves) {
  send(0, MacAddress::broadcast());
  links_[2]->to_far().send(world_.now(),
                           numbered_frame(world_, 9, 60, station_mac(0), MacAddress::broadcast()));
  world_.events().run_until(world_.now() + Duration::milliseconds(1));
  forget();
  send(1, station_mac(0));
  EXPECT_EQ(heard(2), 1U);
  EXPECT_EQ(heard(0), 0U);
}

TEST_F(EthernetSwitchTest, ForgetsAPortWhoseCableIsPulledOut) {
  send(0, MacAddress::broadcast());
  send(1, MacAddress::broadcast());
  links_[0]->set_plugged(world_.now(), false);
  forget();
  send(1, station_mac(0));
  EXPECT_EQ(heard(2), 1U) << "flooded: nobody knows where the station is";
  send(2, station_mac(1));
  EXPECT_EQ(heard(1), 1U) << "still known";
}

TEST_F(EthernetSwitchTest, FloodsForStationsThatItsTableHasNoRoomFor) {
  for (std::uint8_t i = 0; i < 3; ++i) {
    send(i, MacAddress::broadcast());
  }
  EXPECT_EQ(switch_.counters().not_learned, 1U);
  forget();
  send(0, station_mac(2));
  EXPECT_EQ(heard(1), 1U);
  EXPECT_EQ(heard(2), 1U);
}

TEST_F(EthernetSwitchTest, JoinsOtherSwitches) {
  EthernetSwitch other(world_, {.ports = 2});
  Ear far;
  Link trunk(world_, 10);
  Link cable(world_, 11);
  EthernetSwitch with_room(world_, {.ports = 2});
  Ear here;
  Link here_cable(world_, 12);
  with_room.attach(here_cable, here, 0);
  with_room.attach_switch(trunk, other);
  other.attach(cable, far, 0);
  here_cable.to_far().send(world_.now(),
                           numbered_frame(world_, 1, 60, station_mac(7), station_mac(8)));
  world_.events().run_until(world_.now() + Duration::milliseconds(1));
  EXPECT_EQ(far.heard.size(), 1U);
  EXPECT_TRUE(here.heard.empty());
}

}  // namespace
}  // namespace aoe::sim
