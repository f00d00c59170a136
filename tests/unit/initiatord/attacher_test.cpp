// Who is attached, when and by whom, with somebody who only notes what there is to do.
#include "initiatord/attacher.h"

#include "initiatord/config_file.h"
#include "unit/initiator/core_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace aoe::initiatord {
namespace {

using block::AttachAnswer;
using block::AttachCommand;
using block::AttachOp;
using initiator::CoreWorld;
using initiator::FakeTarget;
using initiator::kE71;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Work {
  std::vector<AttachCommand> asked;
  std::deque<AttachAnswer> answers;
};

class FakeWorker final : public block::AttachWorker {
 public:
  explicit FakeWorker(Work& work) : work_(work) {}

  [[nodiscard]] int wait_fd() const override { return -1; }

  [[nodiscard]] Result<void> send(const AttachCommand& command) override {
    work_.asked.push_back(command);
    return {};
  }

  [[nodiscard]] std::optional<AttachAnswer> next() override {
    if (work_.answers.empty()) {
      return std::nullopt;
    }
    const AttachAnswer answer = work_.answers.front();
    work_.answers.pop_front();
    return answer;
  }

  [[nodiscard]] bool has_ended() const override { return false; }

 private:
  Work& work_;
};

InitiatorConfig config_of(const std::string& text) {
  LoadedConfig loaded = parse_config_text("interfaces = 'auto'\n" + text, "i.toml");
  EXPECT_TRUE(loaded.diagnostics.ok());
  return std::move(loaded.config);
}

class AttacherTest : public ::testing::Test {
 protected:
  void start(const std::string& config, std::vector<block::Survivor> survivors = {},
             Attacher::OtherInitiators others = Attacher::OtherInitiators::work) {
    world.port_up();
    keeper.start(world.now, config_of(config));
    attacher.emplace(
        world.now, keeper, std::make_unique<FakeWorker>(work),
        Attacher::Surroundings{
            .survivors = std::move(survivors),
            .uri = [](const DeviceConfig& /*device*/,
                      block::Access /*access*/) { return std::string("aoe://eth1/e7.1"); },
            .other_initiators = others,
            .tell = [](Attachment /*what*/, DeviceAddress /*address*/,
                       const std::string& /*block_device*/) {}});
    answer_all();
  }

  // Brings e7.1 up.
  void run() {
    world.core->discover(kE71);
    for (int i = 0; i < 4; ++i) {
      world.core->handle_timeout(world.now);
      world.run(target);
      for (const initiator::Event& event : world.events()) {
        keeper.handle_event(world.now, event);
        attacher->handle_event(world.now, event);
      }
    }
  }

  // What was asked for since the last call.
  std::vector<AttachOp> asked() {
    std::vector<AttachOp> ops;
    for (; seen < work.asked.size(); ++seen) {
      ops.push_back(work.asked[seen].op);
    }
    return ops;
  }

  // Everything that was asked ends well, or the attempts to attach do not.
  void answer_all(const std::string& failure = {}) {
    while (answered < work.asked.size()) {
      const AttachCommand& command = work.asked[answered++];
      AttachAnswer answer;
      answer.id = command.id;
      answer.is_ok = failure.empty() || command.op != AttachOp::attach;
      answer.via = "loop";
      answer.device = "/dev/loop77";
      answer.text = failure;
      work.answers.push_back(answer);
      attacher->handle_readable();
    }
  }

  [[nodiscard]] DeviceUsers& users() { return keeper.find(kE71)->users; }

  // A loop device has its file open.
  void attach_and_open() {
    ++users().open_files;
    answer_all();
    answer_all();
  }

  CoreWorld world;
  FakeTarget target;
  DeviceKeeper keeper{*world.core, {.devices_max = 2}};
  Work work;
  std::size_t seen = 0;
  std::size_t answered = 0;
  std::optional<Attacher> attacher;
};

constexpr const char* kAttached = "[[device]]\naddress = '7.1'\nattach = 'loop'\n";

TEST_F(AttacherTest, WhatTheFileSaysIsAttachedOnceItIsUp) {
  start(kAttached);
  EXPECT_THAT(asked(), ElementsAre(AttachOp::sweep));
  attacher->look_around(world.now);
  EXPECT_THAT(asked(), IsEmpty());
  run();
  EXPECT_THAT(asked(), ElementsAre(AttachOp::attach));
  attach_and_open();
  EXPECT_EQ(users().block_device, "/dev/loop77");
}

TEST_F(AttacherTest, WhereOthersAreDeafOnlyWhatGoesThroughTheDaemonIsUsed) {
  start("[[device]]\naddress = '7.1'\n", {}, Attacher::OtherInitiators::are_deaf);
  run();
  static_cast<void>(asked());
  attacher->attach(world.now, {.address = kE71, .via = "ublk"}, {});
  EXPECT_THAT(asked(), IsEmpty());
  attacher->attach(world.now, {.address = kE71, .via = "auto"}, {});
  EXPECT_THAT(asked(), ElementsAre(AttachOp::attach));
  EXPECT_EQ(work.asked.back().via.str(), "loop");
}

TEST_F(AttacherTest, WhatFailedIsTriedAgainUntilSomebodyDetaches) {
  start(kAttached);
  run();
  answer_all("no loop device is left");
  static_cast<void>(asked());
  attacher->look_around(world.now + Duration::seconds(29));
  EXPECT_THAT(asked(), IsEmpty());
  attacher->look_around(world.now + Duration::seconds(30));
  EXPECT_THAT(asked(), ElementsAre(AttachOp::attach));
  answer_all("no loop device is left");
  attacher->look_around(world.now + Duration::seconds(59));
  EXPECT_THAT(asked(), IsEmpty());
  attacher->detach(kE71, {});
  attacher->look_around(world.now + Duration::seconds(120));
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(AttacherTest, WhatSomebodyDetachedStaysDetached) {
  start(kAttached);
  run();
  attach_and_open();
  static_cast<void>(asked());
  attacher->detach(kE71, {});
  EXPECT_THAT(asked(), ElementsAre(AttachOp::detach));
  answer_all();
  EXPECT_EQ(users().block_device, "");
  attacher->look_around(world.now + Duration::seconds(120));
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(AttacherTest, ADeviceThatIsUpIsAttachedWhenAReloadWantsIt) {
  start("[[device]]\naddress = '7.1'\n");
  run();
  attacher->want(world.now, kE71);
  attacher->look_around(world.now);
  static_cast<void>(asked());
  const InitiatorConfig before = config_of("[[device]]\naddress = '7.1'\n");
  const InitiatorConfig after = config_of(kAttached);
  EXPECT_TRUE(keeper.reconfigure(world.now, diff({before, after}), after).empty());
  attacher->want(world.now, kE71);
  EXPECT_THAT(asked(), ElementsAre(AttachOp::attach));
}

TEST_F(AttacherTest, WhatOutlivedADaemonIsFoundGivenItsNamesAndServedAgain) {
  start("",
        {{.address = kE71, .device = "/dev/ublkb77", .front_end = block::find_front_end("ublk")}});
  EXPECT_EQ(users().block_device, "/dev/ublkb77");
  EXPECT_FALSE(users().need_daemon());
  EXPECT_THAT(asked(), ElementsAre(AttachOp::update_size, AttachOp::resume, AttachOp::sweep));
  run();
  EXPECT_THAT(asked(), ElementsAre(AttachOp::resume))
      << "its disk is back, and may be its server's";
  // This kernel does not have it.
  attacher->look_around(world.now);
  EXPECT_THAT(asked(), ElementsAre(AttachOp::forget));
  EXPECT_EQ(users().block_device, "");
}

TEST_F(AttacherTest, TheSecondBlockDeviceOfADiskIsLeftAlone) {
  start("",
        {{.address = kE71, .device = "/dev/ublkb77", .front_end = block::find_front_end("ublk")},
         {.address = kE71, .device = "/dev/nbd77", .front_end = block::find_front_end("nbd")}});
  EXPECT_EQ(users().block_device, "/dev/ublkb77");
}

}  // namespace
}  // namespace aoe::initiatord
